"""Issuing and amending reports."""
