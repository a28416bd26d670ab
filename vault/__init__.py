"""Keys, encrypted storage, and copies of the laboratory's data."""
