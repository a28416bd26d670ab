"""What people and workers do in the registry of models."""
