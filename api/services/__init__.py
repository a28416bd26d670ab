"""All writes of the API's own records."""
