"""What changes at the quality boards."""
