"""Pages of the quality boards."""
