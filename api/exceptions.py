"""Errors of the API's own records; each message is fit for the person at the screen."""

from classifier.exceptions import DomainError


class TokenRefused(DomainError):
    """A token that may not be made as asked."""


class TokenInvalid(DomainError):
    """A token that opens nothing: unknown, expired, revoked, or its owner may not act."""


class KeyReused(DomainError):
    """An idempotency key that came with another request before."""


class KeyInUse(DomainError):
    """An idempotency key whose first request is still being worked on."""


class Stale(DomainError):
    """The record is no longer as its reader saw it."""


class TooManyStreams(DomainError):
    """No place is left for another stream of events."""
