"""What every address of the API shares: tokens, scopes, limits, entity tags, problems."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from rest_framework.exceptions import MethodNotAllowed, NotFound
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from api.authentication import TokenAuthentication
from api.enums import Scope
from api.exceptions import Stale
from api.models import ApiToken
from api.parsing import PlainJSONParser
from api.permissions import HasScope
from api.problems import Problem, ProblemRaised, answer_problem
from api.throttling import ScopeThrottle

MOST_CACHED = "private, no-cache"
AS_FILE = 'attachment; filename="api.json"'


class TokenRequest(Request):
    """A request that a token was shown with."""

    user: User
    auth: ApiToken


class OneForm(BaseContentNegotiation):
    """Each address has one form, which RFC 9110 (12.4.1) allows whatever is preferred."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """An address of the API; `scopes` names the scope of each method, others are closed."""

    scopes: ClassVar[Mapping[str, Scope]] = {}
    most_bytes: ClassVar[int] = settings.API_MAX_JSON_BYTES

    http_method_names = ["get", "head", "post", "put", "delete"]
    authentication_classes = [TokenAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [ScopeThrottle]
    renderer_classes = [JSONRenderer]
    parser_classes = [PlainJSONParser]
    content_negotiation_class: type[BaseContentNegotiation] = OneForm

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what can be refused by its head, before anything reads the body."""
        if str(request.method).lower() not in self.http_method_names or not hasattr(
            self, str(request.method).lower()
        ):
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        refuse_oversized(request, self.most_bytes)

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, Any]], Response]:
        """Everything that is refused is a problem."""
        return answer_problem

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Give what was read its entity tag; answer 304 to whoever has it."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", MOST_CACHED)
        if isinstance(answer, Response):
            # Whoever is led to an address of the API by a link gets a file, never a page.
            answer.headers.setdefault("Content-Disposition", AS_FILE)
        is_read = request.method in {"GET", "HEAD"} and answer.status_code == 200
        if is_read and isinstance(answer, Response) and "ETag" not in answer.headers:
            answer["ETag"] = entity_tag(answer.data)
            if is_among(answer["ETag"], request.headers.get("If-None-Match", "")):
                answer.status_code, answer.data = 304, None
        return answer


class Nowhere(ApiView):
    """Every address that doesn't exist."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say so, whoever asks."""
        raise NotFound("The API has no such address.")


def refuse_oversized(request: Request, most: int) -> None:
    """Raise unless the body says how long it is and keeps to ``most`` bytes."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if not declared.isdecimal():
        raise ProblemRaised(Problem(400, "length-invalid", "Content-Length is no number."))
    if int(declared) > most:
        raise ProblemRaised(
            Problem(413, "too-large", f"The body is larger than {most // 1024} KiB.")
        )


def entity_tag(data: Any) -> str:
    """Return the strong entity tag of what would be answered."""
    rendered = JSONRenderer().render(data)
    return f'"{hashlib.sha256(rendered).hexdigest()[:32]}"'


def is_among(tag: str, listed: str) -> bool:
    """Tell whether a tag is one of those in a header; weak ones count as their strong ones."""
    names = [name.strip().removeprefix("W/") for name in listed.split(",")]
    return tag in names or "*" in names


def require_match(request: Request, current: Callable[[], Any]) -> None:
    """Raise unless the record still is what ``If-Match`` names, if the request has the header.

    Call in the transaction of the change, with the record's row locked.
    """
    assert transaction.get_connection().in_atomic_block
    listed = request.headers.get("If-Match")
    if listed and not is_among(entity_tag(current()), listed):
        raise Stale("The record is no longer what If-Match names: read it again.")


def as_plain(data: Any) -> Any:
    """Return data as JSON would give it back."""
    return json.loads(JSONRenderer().render(data))
