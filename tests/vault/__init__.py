"""Keys, stored files and copies of the laboratory."""
