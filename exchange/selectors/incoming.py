"""What pages show of messages that came in; who they are about only where asked for."""

import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.audit import record
from accounts.models import User
from exchange import policies
from exchange.enums import IncomingOutcome, Protocol, SenderKind
from exchange.models import IncomingMessage
from exchange.services.merges import proposal_in

SHOWN_HL7 = frozenset({"MSH", "TQ1", "SPM", "SAC", "OBX", "MSA", "ERR"})
SHOWN_ASTM = frozenset({"H", "R", "L"})
"""Segments and records that name nobody; all others are hidden until somebody asks."""

LONGEST_SHOWN = 200_000
HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Line:
    """One segment or record: its name, and its text unless that may name somebody."""

    name: str
    text: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are listed; "" means all. `outcome` may be "waiting"."""

    outcome: str = ""
    kind: str = ""

    @classmethod
    def read(cls, outcome: str, kind: str) -> "Filter":
        """Return a filter; what isn't known filters nothing."""
        known = {*IncomingOutcome.values, "waiting"}
        return cls(outcome if outcome in known else "", kind if kind in SenderKind.values else "")


def list_incoming(user: User, wanted: Filter) -> QuerySet[IncomingMessage]:
    """Return messages without their bytes, the latest first."""
    messages = IncomingMessage.objects.visible_to(user).defer("raw", "replies")
    if wanted.outcome == "waiting":
        messages = messages.waiting()
    elif wanted.outcome:
        messages = messages.filter(outcome=wanted.outcome)
    if wanted.kind:
        messages = messages.of_kind(wanted.kind)
    return messages.select_related("sender", "settlement").prefetch_related("case_links__case")


def count_waiting(user: User) -> int:
    """Return how many messages a person has to settle."""
    return IncomingMessage.objects.visible_to(user).waiting().count()


def lines_of(
    message: IncomingMessage, *, with_identities: bool, closed: bool = False
) -> list[Line]:
    """Return a message segment by segment, as text that any reader can show.

    Of one about a ``closed`` record, what it brings is hidden too.
    """
    text = bytes(message.raw)[:LONGEST_SHOWN].decode("utf-8", "replace")
    shown = SHOWN_HL7 if message.protocol == Protocol.HL7 else SHOWN_ASTM
    length = 3 if message.protocol == Protocol.HL7 else 1
    lines = []
    for line in filter(str.strip, text.replace("\n", "\r").split("\r")):
        name = line[:length] if line[:length].isalnum() else "?"
        is_hidden = closed or (not with_identities and name not in shown)
        lines.append(Line(name, HIDDEN if is_hidden else line, is_hidden))
    return lines


def patients_of(message: IncomingMessage) -> list[uuid.UUID]:
    """Return the patients whose cases a message brought something to, or whom it would merge."""
    proposal = proposal_in(message)
    if proposal is not None:
        return [patient.pk for patient in proposal.patients]
    return list(message.case_links.values_list("case__patient", flat=True))


def record_reading(message: IncomingMessage, user: User) -> None:
    """Note that somebody read a message with the identities in it.

    Raises:
        NotPermitted: it is about a record that is closed to them.
    """
    patients = patients_of(message)
    policies.check_is_open(user, patients)
    patient = patients[0] if patients else None
    record(actor=user, action="message.read", target=message, patient=patient)
