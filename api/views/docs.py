"""The description of the API, to read and to try."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.views.access import allowed_to
from api import policies
from api.description import SCHEMA_FILE

members_only = allowed_to(policies.can_hold_tokens)  # type: ignore[arg-type]


@require_safe
@members_only
def docs(request: HttpRequest) -> HttpResponse:
    """Show the description; requests are tried with a token, never with the session."""
    return render(request, "api/docs.html")


@require_safe
@members_only
def schema(request: HttpRequest) -> FileResponse:
    """Return the description as OpenAPI 3.1."""
    return FileResponse(SCHEMA_FILE.open("rb"), content_type="application/json")
