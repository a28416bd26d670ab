"""Specimens of a waiting message that belong to no case yet: each is matched on its own."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier.exceptions import DomainError, EditConflict
from classifier.models import Case
from exchange.astm.records import read_astm_results, read_records
from exchange.enums import Protocol, SenderKind, SettlementKind
from exchange.hl7v2.charsets import codec_for, decode
from exchange.hl7v2.message import parse
from exchange.hl7v2.results import read_results
from exchange.measurements import SpecimenResults
from exchange.models import IncomingMessage, Sender, Settlement, SpecimenMatch
from exchange.refusals import Refusal
from exchange.services.keeping import link_cases
from exchange.services.orders import Context
from exchange.services.results import bring, find_case
from exchange.services.waiting import lock_waiting, sender_of, settle

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Pending:
    """A specimen whose values are with no case: its place in the message, and what it brings."""

    position: int
    results: SpecimenResults

    @property
    def label(self) -> str:
        """How a person tells it from the others."""
        number = len(self.results.values)
        return f"{', '.join(self.results.specimen_ids)}: {number} value{'s' * (number != 1)}"


def pending_specimens(message: IncomingMessage) -> list[Pending]:
    """Return the specimens of a waiting message that nobody has matched, in their order."""
    if not message.is_waiting or message.sender is None:
        return []
    if message.sender.kind != SenderKind.ANALYSER:
        return []
    try:
        found = _results(message, message.sender)
    except Refusal:
        return []
    matched = set(message.matches.values_list("position", flat=True))
    linked = set(message.case_links.values_list("case_id", flat=True)) - set(
        message.matches.values_list("case_id", flat=True)
    )
    return [
        Pending(position, results)
        for position, results in enumerate(found, start=1)
        if position not in matched and not _was_brought(results, linked)
    ]


@transaction.atomic
def match_to_case(
    *,
    message_id: uuid.UUID,
    actor: "User",
    case: Case,
    reason: str,
    position: int | None = None,
) -> Settlement | None:
    """Bring the values of one unknown specimen to a case that a person names.

    Without a position the message holds but one. Once the last is matched the message is settled;
    until then it waits, and None is returned.

    Raises:
        NotPermitted, EditConflict, GuardFailed: not theirs, settled or matched already, no reason.
        DomainError: no result of an analyser, or a value that can't be.
    """
    message = lock_waiting(message_id, actor, reason)
    sender = sender_of(message)
    if sender.kind != SenderKind.ANALYSER:
        raise DomainError("Only results of an analyser are matched to a case.")
    pending = pending_specimens(message)
    chosen = _choose(pending, position)
    try:
        bring(chosen.results, case, Context(sender, message.pk, actor))
    except Refusal as refusal:
        raise DomainError(str(refusal)) from refusal
    SpecimenMatch.objects.create(
        message=message,
        position=chosen.position,
        case=case,
        reason=reason.strip(),
        matched_by=actor,
    )
    link_cases(message, [case])
    _audit(message, chosen, case, actor, reason)
    if len(pending) > 1:
        return None
    return settle(message, SettlementKind.MATCHED, actor, reason)


def _choose(pending: list[Pending], position: int | None) -> Pending:
    if position is None and len(pending) > 1:
        raise DomainError("The message holds several unknown specimens: say which one is meant.")
    for item in pending:
        if position in (None, item.position):
            return item
    raise EditConflict("This specimen was matched already.")


def _was_brought(results: SpecimenResults, linked: set[uuid.UUID]) -> bool:
    """Say whether the values went to their case when the message came."""
    case = find_case(results)
    return case is not None and case.pk in linked


def _audit(
    message: IncomingMessage, chosen: Pending, case: Case, actor: "User", reason: str
) -> None:
    record(
        actor=actor,
        action="message.specimen_matched",
        target=message,
        after={"specimen": chosen.position, "case": case.accession_number},
        reason=reason,
        patient=case.patient_id,
    )


def _results(message: IncomingMessage, sender: Sender) -> list[SpecimenResults]:
    data = bytes(message.raw)
    if message.protocol == Protocol.HL7:
        return read_results(parse(data, sender.charset), zone=sender.zone)
    records = read_records(decode(data, codec_for("", sender.charset)))
    return read_astm_results(records, zone=sender.zone)
