"""Tests of image sets: reading, duplicates, splits."""
