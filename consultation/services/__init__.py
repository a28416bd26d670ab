"""One function for each thing a person can do about opinions and discussion."""
