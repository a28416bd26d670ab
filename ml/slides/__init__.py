"""Whole-slide files, read by regions and never whole."""
