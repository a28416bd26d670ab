"""Which reports still need a message, and which message may be sent next."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from exchange.enums import FINISHED_STATES, OutboundState
from exchange.models import OutboundMessage, Peer
from reports.models import Report


def reports_without_message(peer: Peer, *, since: datetime | None = None) -> QuerySet[Report]:
    """Return the reports that a peer wants and has no message about, the oldest first.

    Nothing else says that a message is due: whatever dies, the rows still do. ``since`` narrows
    the look to what was issued from then on.
    """
    start = max(peer.results_from, since) if since else peer.results_from
    known = OutboundMessage.objects.filter(peer=peer, report=OuterRef("pk"))
    wanted = Report.objects.filter(issued_at__gte=start, status__in=peer.report_statuses)
    return wanted.filter(~Exists(known)).order_by("issued_at", "version")


def sendable(peer: Peer) -> QuerySet[OutboundMessage]:
    """Return the messages that may be sent now, in their order.

    A version waits until all earlier versions of its case are settled, so that a correction never
    overtakes its original. Messages about one patient go in the order in which they were written,
    but a case that waits for a person holds up no other.
    """
    others = OutboundMessage.objects.filter(peer=peer).exclude(pk=OuterRef("pk"))
    unsettled = others.exclude(state__in=FINISHED_STATES)
    earlier_version = unsettled.filter(
        report__case=OuterRef("report__case"), report__version__lt=OuterRef("report__version")
    )
    held_up = OutboundMessage.objects.parked().filter(
        peer=peer, report__case=OuterRef("report__case")
    )
    same_patient = others.waiting().filter(
        ~Exists(held_up),
        report__case__patient=OuterRef("report__case__patient"),
        sequence__lt=OuterRef("sequence"),
    )
    waiting = OutboundMessage.objects.filter(peer=peer, state=OutboundState.QUEUED)
    return waiting.filter(
        ~Exists(earlier_version), ~Exists(same_patient), due_at__lte=timezone.now()
    ).order_by("sequence")


def later_version_accepted(message: OutboundMessage) -> bool:
    """Say whether the peer has taken a later version of the same case already."""
    return OutboundMessage.objects.filter(
        Q(report__version__gt=message.report.version),
        peer=message.peer_id,
        report__case=message.report.case_id,
        state=OutboundState.ACCEPTED,
    ).exists()
