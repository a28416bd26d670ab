"""Tests of the model package and its command line."""
