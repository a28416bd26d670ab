"""What the quality boards show."""
