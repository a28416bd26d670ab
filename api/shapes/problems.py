"""Refusals and the token itself, for the description."""

from typing import Any

from rest_framework import serializers

from api.enums import Scope
from api.shapes.strict import Id


class ProblemError(serializers.Serializer[Any]):
    """One mistake, and where in the body or among the parameters it is."""

    pointer = serializers.CharField()
    detail = serializers.CharField()


class ProblemShape(serializers.Serializer[Any]):
    """Why something was refused (RFC 9457). Nothing was changed."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(required=False)
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]


class TokenShape(serializers.Serializer[Any]):
    """What the token that asks opens now."""

    id = Id()
    name = serializers.CharField()
    owner = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    expires_at = serializers.DateTimeField()
