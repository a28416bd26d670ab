"""What is done with keys, stored files and copies of the laboratory."""
