"""Pages of copies and keys."""
