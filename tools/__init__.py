"""Programs that need a copy of nothing else of this repository."""
