"""The signature; what a version replaces, says differently or withdraws."""

from dataclasses import dataclass
from datetime import datetime

from reports.content.request import Coded


@dataclass(frozen=True, slots=True)
class Change:
    """What a corrected report says differently; of an appended one, ``new`` is what it adds."""

    item: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """Why a later version exists and what it supersedes.

    ``is_addition`` tells that nothing that was signed before has changed (an appended report).
    """

    supersedes_version: int
    supersedes_sha256: str
    superseded_at: datetime
    reason: str
    changes: tuple[Change, ...]
    is_addition: bool = False


@dataclass(frozen=True, slots=True)
class ReplacedInterim:
    """The interim version that this one replaces."""

    version: int
    sha256: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who declared the report entered in error, and who confirmed it: two people."""

    requested_by: str
    requested_at: datetime
    confirmed_by: str
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    """The manifestation of the electronic signature (21 CFR 11.50).

    ``verification_code`` finds the version at ``verification_address``; older reports have none.
    """

    report_id: str
    signer_id: int
    signer_name: str
    signer_title: str
    meaning: Coded
    statement: str
    signed_at: datetime
    verification_code: str = ""
    verification_address: str = ""

    @property
    def printed_name(self) -> str:
        """Name and credentials."""
        if self.signer_title:
            return f"{self.signer_name}, {self.signer_title}"
        return self.signer_name
