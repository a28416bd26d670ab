"""Critical findings as values: what was found, whether it was told, and whether it got worse."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from classifier.enums import CriticalSide

UNIT_WORDS = {"10*9/L": "× 10⁹/L", "%": "%", "{cells}": "seen"}  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class CriticalFinding:
    """One result beyond the laboratory's critical limit, with the version that judged it.

    ``value`` is in ``unit`` (UCUM). ``is_confirmed`` is False while it rests on the machine's
    reading alone. ``is_known`` tells that an earlier final report said it already: it is shown,
    and needs no call.
    """

    analyte: str
    label: str
    quantity: str
    side: str
    value: Decimal
    unit: str
    limit: Decimal | None
    limit_id: int
    limit_version: int
    limit_source: str
    is_approved: bool
    is_confirmed: bool
    is_known: bool = False

    @property
    def value_words(self) -> str:
        """The value with its unit: "0.31 × 10⁹/L", "3 seen"."""  # noqa: RUF002
        return f"{self.value} {UNIT_WORDS[self.unit]}"

    @property
    def limit_words(self) -> str:
        """What makes it critical: "below 0.50", "any"."""
        if self.limit is None:
            return "any is critical"
        return f"critical {CriticalSide(self.side).label} {self.limit.normalize():f}"

    @property
    def words(self) -> str:
        """The finding in one line, as it is read out on the telephone."""
        return f"{self.label} {self.value_words}"

    def is_covered_by(self, told: "CriticalFinding") -> bool:
        """Say whether telling ``told`` told this one: the same, and not worse since.

        That cells of a class were seen at all does not get worse by there being more of them.
        """
        same = (self.analyte, self.quantity, self.side) == (told.analyte, told.quantity, told.side)
        if not same:
            return False
        if self.side == CriticalSide.SEEN:
            return True
        return (
            self.value >= told.value
            if self.side == CriticalSide.LOW
            else (self.value <= told.value)
        )

    def as_json(self) -> dict[str, Any]:
        """Return the finding as plain values; decimals as text."""
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "CriticalFinding":
        """Read a stored finding back."""
        read = {field.name: value[field.name] for field in fields(cls)}
        limit = read["limit"]
        return cls(
            **read
            | {"value": Decimal(read["value"]), "limit": None if limit is None else Decimal(limit)}
        )


def needing_call(findings: Iterable[CriticalFinding]) -> tuple[CriticalFinding, ...]:
    """Return the findings that somebody has to be told: those not reported before."""
    return tuple(item for item in findings if not item.is_known)


def untold(
    findings: Iterable[CriticalFinding], told: Sequence[CriticalFinding]
) -> tuple[CriticalFinding, ...]:
    """Return the findings that none of the findings already ``told`` covers."""
    return tuple(
        item
        for item in needing_call(findings)
        if not any(item.is_covered_by(other) for other in told)
    )


def snapshot_sha256(findings: Iterable[CriticalFinding]) -> str:
    """Return the SHA-256 of the findings as JSON with sorted keys, in hexadecimal."""
    text = json.dumps([item.as_json() for item in findings], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
