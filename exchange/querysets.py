"""Recurring selections of peers and messages, and who may see them."""

from typing import TYPE_CHECKING, Self

from django.db import models

from exchange.enums import PARKED_STATES, WAITING_STATES, IncomingOutcome

if TYPE_CHECKING:
    from accounts.models import User

DUTY = "accounts.manage_interfaces"


class PeerQuerySet(models.QuerySet):
    """Selections of peers."""

    def visible_to(self, user: "User") -> Self:
        """Return all peers to whoever connects other systems, none to others."""
        return self.all() if user.has_perm(DUTY) else self.none()

    def receiving(self) -> Self:
        """Return the active peers that results are sent to."""
        return self.filter(is_active=True)


class CodeQuerySet(models.QuerySet):
    """Selections of codes."""

    def in_use(self) -> Self:
        """Return the codes that are understood now."""
        return self.filter(retired_at=None, approved_at__isnull=False)

    def proposed(self) -> Self:
        """Return the codes that wait for a second person."""
        return self.filter(retired_at=None, approved_at=None)


class OutboundMessageQuerySet(models.QuerySet):
    """Selections of outgoing messages."""

    def visible_to(self, user: "User") -> Self:
        """Return all messages to whoever connects other systems, none to others."""
        return self.all() if user.has_perm(DUTY) else self.none()

    def waiting(self) -> Self:
        """Return the messages that will be sent without anybody's doing."""
        return self.filter(state__in=WAITING_STATES)

    def parked(self) -> Self:
        """Return the messages about which a person has to decide."""
        return self.filter(state__in=PARKED_STATES)


class IncomingMessageQuerySet(models.QuerySet):
    """Selections of messages that came in."""

    def visible_to(self, user: "User") -> Self:
        """All to whoever connects other systems or registers patients, merges to who merges.

        They hold identities, which the pages hide until somebody asks to see them.
        """
        duties = ("accounts.manage_interfaces", "accounts.register_patient")
        if any(map(user.has_perm, duties)):
            return self.all()
        merges = user.has_perm("accounts.merge_patients")
        return self.filter(message_type="ADT^A40") if merges else self.none()

    def waiting(self) -> Self:
        """Return the messages that a person has to settle."""
        return self.filter(outcome=IncomingOutcome.PARKED, settlement=None)

    def of_kind(self, kind: str) -> Self:
        """Return the messages of senders of a kind."""
        return self.filter(sender__kind=kind)


class WebhookQuerySet(models.QuerySet):
    """Selections of webhooks and of their deliveries."""

    def visible_to(self, user: "User") -> Self:
        """Return all to whoever connects other systems, none to others."""
        return self.all() if user.has_perm(DUTY) else self.none()
