"""Makes a case of many drawn cells for the gallery's tests, in a shell of the site's own."""

from benchmarks.review_cases import make

__all__ = ["make"]
