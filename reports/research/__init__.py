"""Data for research that name nobody: columns, masking, archive, and the rows that keep them."""
