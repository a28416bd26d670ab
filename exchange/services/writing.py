"""Writing messages into the outbox: from the signed report, validated, stored before sending."""

import hashlib
import logging
import uuid
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from exchange.enums import AckMode, OutboundState
from exchange.models import OutboundMessage, Peer, PlacedOrder
from exchange.selectors.outbox import reports_without_message
from exchange.validation import InvalidMessage, validate
from reports.exceptions import ReportTampered
from reports.hl7 import CannotBeWritten, Envelope, Party, PlacerOrder, encode, render_oru
from reports.models import Report
from reports.services.reading import read_content, read_pdf

logger = logging.getLogger(__name__)

# Messages written at a time, so that none waits long for the others.
BATCH = 50
CONTROL_ID_LENGTH = 20


class Unwritable(Exception):
    """A report can't become a message for this peer; says why without the patient's data."""


def write_missing(peer: Peer, *, since: datetime | None = None) -> int:
    """Store a message for each report that the peer wants and has none about; return how many.

    May run at any time and twice at once: a report has one standing message for a peer.
    """
    missing = list(reports_without_message(peer, since=since)[:BATCH])
    for report in missing:
        write_message(peer=peer, report=report)
    return len(missing)


@transaction.atomic
def write_message(
    *, peer: Peer, report: Report, replaces: OutboundMessage | None = None
) -> OutboundMessage:
    """Store the message about a report for a peer; the one that stands already, if there is.

    A report that can't be written for this peer is stored as such, for a person to see.
    """
    peer = Peer.objects.select_for_update().get(pk=peer.pk)
    standing = peer.messages.filter(report=report).exclude(state=OutboundState.REPLACED).first()
    if standing:
        return standing
    written_at, control_id = timezone.now(), uuid.uuid4().hex[:CONTROL_ID_LENGTH].upper()
    body, problem = b"", ""
    try:
        body = _body(peer, report, control_id, written_at)
    except Unwritable as reason:
        problem = str(reason)
    message = OutboundMessage.objects.create(
        peer=peer,
        report=report,
        sequence=(peer.messages.aggregate(last=Max("sequence"))["last"] or 0) + 1,
        control_id=control_id,
        charset=peer.charset,
        body=body,
        sha256=hashlib.sha256(body).hexdigest() if body else "",
        created_at=written_at,
        due_at=written_at,
        replaces=replaces,
        state=OutboundState.UNSENDABLE if problem else OutboundState.QUEUED,
        problem=problem,
    )
    if problem:
        _tell(message)
    return message


def _body(peer: Peer, report: Report, control_id: str, written_at: datetime) -> bytes:
    """Return the bytes of the message: verified against the signature, rendered, validated."""
    system = User.system()
    try:
        content = read_content(report, actor=system)
        pdf = read_pdf(report, actor=system) if peer.includes_pdf else None
        text = render_oru(content, pdf, _envelope(peer, report, control_id, written_at))
        validate(text)
        return encode(text, peer.charset)
    except (ReportTampered, CannotBeWritten) as reason:
        raise Unwritable(str(reason)) from reason
    except InvalidMessage as reason:
        raise Unwritable(f"The message would break HL7 v2.5.1: {reason}") from reason
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("Report %s can't be written for peer %s", report.pk, peer.pk)
        raise Unwritable("The message could not be made; the log says more.") from error


def _envelope(peer: Peer, report: Report, control_id: str, written_at: datetime) -> Envelope:
    order = PlacedOrder.objects.select_related("sender").filter(case=report.case_id).first()
    return Envelope(
        sender=Party(peer.own_application, peer.own_facility),
        receiver=Party(peer.application, peer.facility),
        control_id=control_id,
        written_at=written_at,
        charset=peer.charset,
        is_enhanced=peer.ack_mode == AckMode.ENHANCED,
        sends_snomed=peer.sends_snomed and settings.SNOMED_LICENSED,
        placer=PlacerOrder(order.placer_number, order.sender.application) if order else None,
    )


def _tell(message: OutboundMessage) -> None:
    """Leave word of a report that could not be written."""
    logger.error("Message %s could not be written: %s", message.control_id, message.problem)
    record(
        actor=User.system(),
        action="result_message.unsendable",
        target=message,
        after={"peer": message.peer.name, "version": message.report.version},
        reason=message.problem,
        patient=message.report.case.patient_id,
    )
