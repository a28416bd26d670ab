"""Tables of the public API."""

from api.models.requests import AnsweredRequest
from api.models.tokens import ApiToken

__all__ = ["AnsweredRequest", "ApiToken"]
