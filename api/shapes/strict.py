"""Fields that take what the description says and nothing that merely looks like it.

The framework's own fields read 1 as true and 5 as "5". A program that sends those has a mistake,
which is better told than guessed away; the same holds for members nobody knows.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Text(serializers.CharField):
    """A string."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Whole(serializers.IntegerField):
    """A whole number, not written as a string or with a point."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Flag(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Amount(serializers.DecimalField):
    """A decimal number written as a string, as floating point would lose digits."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A date and time with its offset from UTC (RFC 3339)."""

    default_error_messages = {"early": "The moment lies before 1900."}

    def enforce_timezone(self, value: datetime) -> Any:
        if value.tzinfo is None:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss with an offset such as Z or +01:00")
        if value < EARLIEST:
            self.fail("early")
        return super().enforce_timezone(value)


class Id(serializers.UUIDField):
    """A UUID in its usual form."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Shape(serializers.Serializer[Any]):
    """What comes in: members that are not known are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["Not known here."] for name in unknown})
        return super().to_internal_value(data)


def is_strict(serializer: Any) -> bool:
    """Tell the shapes that refuse unknown members."""
    return isinstance(serializer, Shape)
