"""The shapes of what goes in and out, from which the API's description is made."""
