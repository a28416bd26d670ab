"""The public REST API and its tokens."""
