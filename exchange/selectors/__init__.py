"""What pages show of the exchange."""
