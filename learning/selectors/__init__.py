"""What pages of the registry show."""
