"""POST with an idempotency key: done once, however often it is sent."""

import hashlib
import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from rest_framework.response import Response

from api.problems import Problem, ProblemRaised
from api.services.idempotency import Answer, Asked, answer_once
from api.v1.base import TokenRequest, as_plain

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{8,255}")
CHUNK = 1024 * 1024
ACTIONS = uuid.UUID("6e2f4c9e-6c1b-4b8e-9c55-0d1e1f0a7a11")
"""Under which the action ids of programs are made of their tokens and idempotency keys."""

Handler = Callable[..., Response]


def once(handler: Handler) -> Handler:
    """Let a POST need an `Idempotency-Key`; the same again gets the same answer, and no more.

    Handlers run in a transaction, and get the key's action id for services that want one.
    """

    @wraps(handler)
    def post(self: Any, request: TokenRequest, *args: Any, **kwargs: Any) -> Response:
        asked = Asked(request.auth, _key_of(request), _target_of(request), fingerprint(request))

        def work() -> Answer:
            response = handler(self, request, *args, **kwargs)
            location = response.headers.get("Location", "")
            return Answer(response.status_code, as_plain(response.data), location)

        answer = answer_once(asked, work)
        headers = {"Location": answer.location} if answer.location else {}
        if answer.is_replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(answer.body, status=answer.status, headers=headers)

    return post


def action_id_of(request: TokenRequest) -> uuid.UUID:
    """Return the id of the step, which is the same whenever its request is sent again."""
    return uuid.uuid5(ACTIONS, f"{request.auth.pk} {request.headers[HEADER]}")


def _key_of(request: TokenRequest) -> str:
    key: str = request.headers.get(HEADER, "")
    if not KEY.fullmatch(key):
        detail = f"Send {HEADER}: 8 to 255 visible characters, new for each new request."
        raise ProblemRaised(Problem(400, "idempotency-key-missing", detail))
    return key


def _target_of(request: TokenRequest) -> str:
    return f"{request.method} {request.path}"[:200]


def fingerprint(request: TokenRequest) -> str:
    """Return the hash of what was sent: members in any order, files by their bytes and names."""
    digest = hashlib.sha256()
    files = request.FILES
    plain = {name: value for name, value in _members(request.data) if name not in files}
    digest.update(repr(as_sorted(plain)).encode("utf-8", "surrogatepass"))
    for name in sorted(files):
        file = files[name]
        digest.update(f"{name}\0{file.name}\0{file.size}\0".encode("utf-8", "surrogatepass"))
        for chunk in file.chunks(CHUNK):
            digest.update(chunk)
        file.seek(0)
    return digest.hexdigest()


def as_sorted(value: Any) -> Any:
    """Return JSON values in one order, whatever order they were written in."""
    if isinstance(value, dict):
        return [(key, as_sorted(inner)) for key, inner in sorted(value.items())]
    return [as_sorted(inner) for inner in value] if isinstance(value, list) else value


def _members(data: Any) -> Any:
    return data.items() if hasattr(data, "items") else [("", data)]
