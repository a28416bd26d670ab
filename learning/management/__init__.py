"""Commands of the registry of models."""
