"""What can go wrong with notices."""


class NotPermitted(Exception):
    """The person may not do this; the message says what."""
