"""What templates of the exchange need."""
