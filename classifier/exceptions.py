"""Errors of the clinical domain; each message is fit for the person at the screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifier.models import Patient


class DomainError(Exception):
    """A rule of the laboratory refuses what was asked; nothing was changed."""


class NotPermitted(DomainError):
    """The person may not do this, or not to this case."""


class TransitionRefused(DomainError):
    """The case is not in a state from which this step is possible."""


class GuardFailed(DomainError):
    """The case is in the right state, but something is still missing."""


class EditConflict(DomainError):
    """Somebody else changed the record since it was read."""


class InvalidSpecimen(DomainError):
    """The specimen's dates or condition contradict each other."""


class ImageRefused(DomainError):
    """The uploaded file can't become an image of the case."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class DuplicatePatient(DomainError):
    """A patient with this MRN is registered already, or people look the same."""

    def __init__(self, message: str, candidates: Sequence["Patient"], *, certain: bool) -> None:
        super().__init__(message)
        self.candidates = candidates
        self.is_certain = certain
