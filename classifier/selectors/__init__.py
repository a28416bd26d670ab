"""Read models for pages."""
