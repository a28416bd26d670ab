"""Command line of the classifier app."""
