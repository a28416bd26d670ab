"""Fixtures of the API's programs, for its addresses."""

from tests.api.conftest import _nothing_counted, make_token, program

__all__ = ["_nothing_counted", "make_token", "program"]
