"""Merges of patient records that another system proposes, and a person here decides."""

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from classifier.exceptions import DomainError
from classifier.models import Patient
from classifier.services.merging import MergeRequest, merge_patients
from classifier.services.patients import find_by_number
from exchange.enums import SettlementKind
from exchange.hl7v2.envelope import read_envelope
from exchange.hl7v2.merges import IncomingMerge, read_merge
from exchange.hl7v2.message import Message, parse
from exchange.hl7v2.people import PatientNumber
from exchange.hl7v2.replies import compose
from exchange.models import IncomingMessage, Sender, Settlement
from exchange.refusals import UNKNOWN_KEY, UNSUPPORTED_EVENT, Parked, Refusal
from exchange.services.orders import check_identity
from exchange.services.waiting import lock_waiting, sender_of, settle

if TYPE_CHECKING:
    from accounts.models import User

NOT_TAKEN = "Merges of this sender are not taken here."
PROPOSED = "Somebody who merges patient records decides whether these two are of one person."
UNKNOWN_SURVIVOR = (
    "The record that is to stay (PID-3) is not registered here, the other one (MRG-1) is. "
    "The laboratory was told; nothing was changed."
)
NOTHING_TO_MERGE = "The record in MRG-1 is not registered here: there is nothing to merge."
MERGED_ALREADY = "Both numbers are of one record here already."
MERGED = "The records were merged here."


@dataclass(frozen=True, slots=True)
class Proposal:
    """Both records as they stand now; None for one that is not registered."""

    merged: Patient | None
    survivor: Patient | None

    @property
    def is_open(self) -> bool:
        """True while there are two records that could be merged."""
        return None not in (self.merged, self.survivor) and self.merged != self.survivor

    @property
    def patients(self) -> list[Patient]:
        """The records that there are."""
        return [one for one in (self.merged, self.survivor) if one is not None]


def propose_merge(message: Message, sender: Sender) -> tuple[str, str]:
    """Say what waits for a person, or what the sender is told as nothing has to be done.

    Nothing is merged by a message.

    Raises:
        Refusal: the sender's merges are not taken, or the message can't be read.
        Parked: the record that is to stay is unknown here, or registered with another identity.
    """
    if not sender.takes_merges:
        raise Refusal(NOT_TAKEN, code=UNSUPPORTED_EVENT, location="MSH^1^9", rejects=True)
    wanted = read_merge(message, default_issuer=sender.mrn_issuer)
    proposal = _proposal(wanted)
    if proposal.merged is None:
        return "", NOTHING_TO_MERGE
    if proposal.survivor is None:
        raise Parked(UNKNOWN_SURVIVOR, code=UNKNOWN_KEY, location="PID^1^3")
    known = find_by_number(wanted.survivor.number.mrn, wanted.survivor.number.issuer)
    if known is not None:
        check_identity(known, wanted.survivor)
    return (PROPOSED, "") if proposal.is_open else ("", MERGED_ALREADY)


def proposal_in(message: IncomingMessage) -> Proposal | None:
    """Return the records that a kept message is about; None if it proposes no merge."""
    if not message.is_merge or message.sender is None:
        return None
    try:
        parsed = parse(bytes(message.raw), message.sender.charset)
        return _proposal(read_merge(parsed, default_issuer=message.sender.mrn_issuer))
    except Refusal:
        return None


@transaction.atomic
def carry_out_merge(
    *, message_id: uuid.UUID, actor: "User", reason: str, named: frozenset[str] = frozenset()
) -> Settlement:
    """Merge the records as a waiting message proposes, in the name of the person who decides.

    Merged already by whatever way, the message is settled all the same. The merge is one like any
    other, and can be taken back. If the sender sends the message again, it is told so.

    Raises:
        NotPermitted, EditConflict, GuardFailed: not theirs, settled already, no reason, a
            restricted record, or a difference that wasn't named.
        DomainError: one of the records isn't registered.
    """
    message = lock_waiting(message_id, actor, reason)
    sender = sender_of(message)
    proposal = proposal_in(message)
    if proposal is None or proposal.merged is None or proposal.survivor is None:
        raise DomainError("One of the two records is not registered here, or the message has none.")
    if proposal.is_open:
        request = MergeRequest(proposal.merged.pk, proposal.survivor.pk, reason, named)
        merge_patients(actor=actor, request=request)
    envelope = read_envelope(parse(bytes(message.raw), sender.charset).header)
    replies = compose(envelope, reply_id=uuid.uuid4().hex[:20], said=MERGED)
    return settle(message, SettlementKind.PROCESSED, actor, reason, replies)


def _proposal(wanted: IncomingMerge) -> Proposal:
    return Proposal(_standing(wanted.merged), _standing(wanted.survivor.number))


def _standing(number: PatientNumber) -> Patient | None:
    known = find_by_number(number.mrn, number.issuer)
    return known.standing if known else None
