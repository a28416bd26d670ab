"""Commands of the classifier app."""
