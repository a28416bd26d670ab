"""Changing who may send, and what codes mean."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.forms.models import model_to_dict

from accounts.audit import record
from classifier.exceptions import NotPermitted
from exchange import policies
from exchange.models import Sender

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def save_sender(*, actor: "User", sender: Sender) -> Sender:
    """Add a sender, or change what was agreed with it; its values were checked by its form.

    Raises:
        NotPermitted: the actor doesn't connect other systems.
    """
    if not policies.can_manage_senders(actor):
        raise NotPermitted("You may not connect other systems.")
    before = Sender.objects.select_for_update().filter(pk=sender.pk).first()
    sender.save()
    record(
        actor=actor,
        action="sender.changed" if before else "sender.added",
        target=sender,
        before=model_to_dict(before) if before else None,
        after=model_to_dict(sender),
    )
    return sender
