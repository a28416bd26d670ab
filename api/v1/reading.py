"""Taking in what was sent, in the shape that the description names."""

from typing import Any, TypeVar

from rest_framework.exceptions import ValidationError

from api.shapes.strict import Shape
from api.v1.base import TokenRequest

S = TypeVar("S", bound="Shape")


def body(request: TokenRequest, shape: type[S]) -> S:
    """Return the body in its shape; an empty one is `{}`.

    Raises:
        ValidationError: it has another shape.
    """
    data: Any = request.data
    form = shape(data=data)
    form.is_valid(raise_exception=True)
    return form


def query(request: TokenRequest, shape: type[S]) -> S:
    """Return the parameters in their shape; each may be given once.

    Raises:
        ValidationError: one is unknown, given twice, or means nothing.
    """
    given = request.query_params
    twice = [name for name in given if len(given.getlist(name)) > 1]
    if twice:
        raise ValidationError({name: ["Give it once."] for name in twice})
    form = shape(data=given.dict())
    form.is_valid(raise_exception=True)
    return form
