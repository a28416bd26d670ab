"""Image sets: read, list in a catalogue, find duplicates, split without a leak."""
