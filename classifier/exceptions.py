"""Errors of the clinical domain; each message is fit for the person at the screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uuid

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


class UnseenChange(EditConflict):
    """A step would overwrite what somebody said of cells since its author saw them."""

    def __init__(self, cell_ids: Sequence["uuid.UUID"]) -> None:
        noun = "cell was" if len(cell_ids) == 1 else "cells were"
        super().__init__(f"{len(cell_ids)} {noun} changed since you saw them. Nothing was stored.")
        self.cell_ids = tuple(cell_ids)


class InvalidSpecimen(DomainError):
    """The specimen's dates or condition contradict each other."""


class ImageRefused(DomainError):
    """The uploaded file can't become an image of the case."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SlideRefused(DomainError):
    """The file of a whole slide can't be taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PartOutOfPlace(DomainError):
    """A part of a file is not the one that comes next; `expected` is the byte where that starts."""

    def __init__(self, expected: int) -> None:
        super().__init__("The upload continues at another place of the file.")
        self.expected = expected


class DuplicatePatient(DomainError):
    """A patient with this MRN is registered already, or people look the same.

    `closed` is a record of this MRN that is restricted to others: its door, no identity.
    """

    def __init__(
        self,
        message: str,
        candidates: Sequence["Patient"],
        *,
        certain: bool,
        closed: "Patient | None" = None,
    ) -> None:
        super().__init__(message)
        self.candidates = candidates
        self.closed = closed
        self.is_certain = certain
