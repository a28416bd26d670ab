"""What templates of the registry need."""
