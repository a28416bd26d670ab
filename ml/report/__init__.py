"""The report of an evaluation: every figure with its interval, as JSON and as one HTML page."""
