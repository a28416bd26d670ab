"""Errors that `ml` raises on purpose; everything else is a bug."""

from __future__ import annotations


class MLError(Exception):
    """Base of all errors raised on purpose by this package."""


class ImageRejected(MLError):
    """An image that cannot be read safely; `str()` is a sentence for a technician.

    `code` is stable and short ("empty", "not_an_image", "unsupported_format", "truncated",
    "too_many_pixels", "animated", "too_small"), for counting and for tests.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SlideRejected(ImageRejected):
    """A whole-slide file that cannot be read safely; `str()` is a sentence for a technician.

    `code` is stable and short ("empty", "not_a_slide", "not_a_pyramid", "damaged", "too_small",
    "too_large", "too_few_levels", "too_large_tiles").
    """


class ArtifactError(MLError):
    """A model release that is missing, malformed, or not the bytes its spec names."""


class NotAtHand(ArtifactError):
    """A release that is wanted is not on this machine, nor anywhere it is looked for."""


class DatasetError(MLError):
    """A training set that is missing, malformed, or split so that it would leak."""
