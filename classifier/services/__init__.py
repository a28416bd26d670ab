"""One function for each thing a person or worker can do to the clinical record."""
