"""How identities are masked: names by a keyed hash, times by a secret shift, high ages in one."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

OLDEST_AGE: Final = 90
"""Ages above 89 are one class (45 CFR 164.514(b)(2)(i)(C))."""

_CODE_BYTES: Final = 10


@dataclass(frozen=True, slots=True)
class Mask:
    """The mask of one patient: the laboratory's key and this patient's shift back in time."""

    key: bytes
    shift: timedelta

    def code(self, kind: str, identity: object) -> str:
        """Return the pseudonym of a thing: the same in every export, and nothing follows from it.

        HMAC-SHA256 of kind and id, 80 bits of it in base 32.
        """
        digest = hmac.new(self.key, f"{kind}:{identity}".encode(), hashlib.sha256).digest()
        return f"{kind[0].upper()}{base64.b32encode(digest[:_CODE_BYTES]).decode()}"

    def moment(self, value: datetime | None) -> str:
        """Return a time moved back by the patient's shift, to the second, in UTC."""
        if value is None:
            return ""
        return (value - self.shift).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @staticmethod
    def age(years: int) -> int:
        """Return an age in years, 90 for all above 89."""
        return min(years, OLDEST_AGE)
