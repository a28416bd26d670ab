"""The description as a whole: version 1 alone, with its scheme of tokens and its strictness."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from api.shapes import (
    boxes,
    cases,
    consultations,
    critical,
    discussion,
    explanations,
    morphology,
    orders,
    patients,
    reviews,
    slides,
)
from api.shapes.strict import Shape

PREFIX = "/api/v1/"
SCHEME = "token"
INCOMING = (
    boxes,
    cases,
    consultations,
    critical,
    discussion,
    explanations,
    morphology,
    orders,
    patients,
    reviews,
    slides,
)


class TokenScheme(OpenApiAuthenticationExtension):
    """Bearer tokens."""

    target_class = "api.authentication.TokenAuthentication"
    name = SCHEME

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "hv_…"}


def only_version_1(endpoints: list[Any], **_more: Any) -> list[Any]:
    """Leave out the pages' own endpoints and the address of everything that doesn't exist."""
    return [one for one in endpoints if one[0].startswith(PREFIX) and one[0] != PREFIX]


def complete(result: dict[str, Any], generator: Any, **_more: Any) -> dict[str, Any]:
    """Say which shapes refuse unknown members, and which scope each operation needs."""
    schemas = result["components"]["schemas"]
    for name in strict_names():
        if name in schemas:
            schemas[name]["additionalProperties"] = False
    scopes = {path: view.scopes for path, view in _views(generator)}
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            scope = scopes.get(path, {}).get(method.upper())
            if scope:
                told = operation.get("description", "")
                operation["description"] = f"{told}\n\nScope: `{scope.value}`.".strip()
    return result


def strict_names() -> Iterator[str]:
    """Yield the components that are shapes of what comes in."""
    for module in INCOMING:
        for name, found in vars(module).items():
            if isinstance(found, type) and issubclass(found, Shape):
                yield name


def _views(generator: Any) -> Iterator[tuple[str, Any]]:
    for path, _, _, callback in generator.endpoints or ():
        yield path.replace("{pk}", "{id}"), callback.cls
