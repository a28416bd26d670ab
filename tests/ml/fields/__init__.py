"""Tests of fields of one smear: which overlap, and what they show twice."""
