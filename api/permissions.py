"""What a token may be used for at each address."""

from collections.abc import Mapping
from typing import ClassVar, Protocol, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from api.enums import Scope
from api.models import ApiToken
from api.policies import may_use


class Scoped(Protocol):
    """An address that names the scope of each of its methods."""

    scopes: ClassVar[Mapping[str, Scope]]


class HasScope(BasePermission):
    """The token has the method's scope, and its owner still the duty; what names none is closed."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope = scope_of(request, view)
        if scope is None or not isinstance(request.auth, ApiToken):
            return False
        self.message = f"This needs the scope {scope.value} and the duty behind it."
        return may_use(request.auth, scope)


def scope_of(request: Request, view: APIView) -> Scope | None:
    """Return the scope that a request needs; reading the head of a page is reading the page."""
    method = "GET" if request.method == "HEAD" else request.method
    return cast("Scoped", view).scopes.get(str(method))
