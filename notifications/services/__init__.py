"""One function for each thing that happens to notices."""
