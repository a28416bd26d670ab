"""Pages of the clinical record: each parses, calls one service or selector, and renders."""
