"""Train, release and serve the blood-cell classifier; plain Python, no Django."""
