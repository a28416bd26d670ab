"""Errors of signing and reading reports; each message is fit for the person at the screen."""

from classifier.exceptions import DomainError


class DocumentFailed(DomainError):
    """The PDF could not be made, so nothing was signed."""


class WrongPassword(DomainError):
    """The signer is not who they say, or mistyped; nothing was signed."""


class WrongSecondFactor(DomainError):
    """The second factor that the laboratory wants under a signature is missing or wrong."""


class LockedOut(DomainError):
    """Too many wrong passwords; nothing was signed."""


class ReauthenticationUnavailable(DomainError):
    """The password could not be checked at all; nothing was signed."""


class ReportTampered(DomainError):
    """What is stored is not what was signed; it is not handed out."""
