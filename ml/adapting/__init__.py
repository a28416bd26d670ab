"""Adapt a release to the stain and camera of a laboratory from a few hundred of its cells."""
