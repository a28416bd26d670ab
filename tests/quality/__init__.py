"""Tests of the quality boards."""
