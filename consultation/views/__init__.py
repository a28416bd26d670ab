"""Pages of opinions and discussion: each parses, calls one service or selector, and renders."""
