"""Who may do what with messages of other systems."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from classifier.care import hidden_patients
from classifier.exceptions import NotPermitted
from classifier.models import Patient
from classifier.policies import can_merge_patients
from exchange.models import IncomingMessage

if TYPE_CHECKING:
    from accounts.models import User


def can_read_incoming(user: "User") -> bool:
    """Whoever connects other systems, registers patients by hand, or merges their records."""
    return can_manage_senders(user) or can_settle(user)


def can_settle(user: "User") -> bool:
    """Whoever registers patients, or merges their records, settles what waits of the kind."""
    return user.has_perm("accounts.register_patient") or can_merge_patients(user)


def can_settle_message(user: "User", message: "IncomingMessage") -> bool:
    """Merges are decided by whoever merges records, all else by whoever registers patients."""
    if message.is_merge:
        return can_merge_patients(user)
    return user.has_perm("accounts.register_patient")


def can_manage_senders(user: "User") -> bool:
    """Whoever connects other systems."""
    return user.has_perm("accounts.manage_interfaces")


def is_closed(user: "User", patient_ids: Iterable[uuid.UUID]) -> bool:
    """Tell whether a message is about a record that is restricted to others."""
    wanted = Patient.objects.filter(pk__in=list(patient_ids))
    return wanted.filter(pk__in=hidden_patients(user)).exists()


def check_is_open(user: "User", patient_ids: Iterable[uuid.UUID]) -> None:
    """Let nobody read a message about a record that is restricted to others.

    Raises:
        NotPermitted: it is.
    """
    if is_closed(user, patient_ids):
        raise NotPermitted("This message is about a restricted record.")


def check_can_manage(user: "User") -> None:
    """Let only those decide about receivers and their messages who connect other systems.

    Raises:
        NotPermitted: they may not.
    """
    if not can_manage_senders(user):
        raise NotPermitted("You may not connect other systems.")
