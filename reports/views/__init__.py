"""Pages of signing and reading reports: each parses, calls one service or selector, and renders."""
