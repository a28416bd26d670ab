"""Template tags of the quality boards."""
