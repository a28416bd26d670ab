"""Keeping the systems that messages go to, and trying whether they can be reached."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import GuardFailed
from exchange import policies
from exchange.mllp import NotReached, open_connection
from exchange.models import Peer
from exchange.services.delivery import address_of

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def add_peer(*, actor: "User", values: Mapping[str, Any]) -> Peer:
    """Add a receiver. Again under the same name by the same form is refused by the form.

    Raises:
        NotPermitted: the actor doesn't connect other systems.
    """
    policies.check_can_manage(actor)
    peer = Peer.objects.create(**values)
    record(actor=actor, action="peer.added", target=peer, after=_said(values))
    return peer


@transaction.atomic
def change_peer(*, peer_id: int, actor: "User", values: Mapping[str, Any]) -> Peer:
    """Change a receiver; messages that are written already stay as they are.

    A new address is tried at once. The same values again change nothing.

    Raises:
        NotPermitted: the actor doesn't connect other systems.
    """
    policies.check_can_manage(actor)
    peer = Peer.objects.select_for_update().get(pk=peer_id)
    before = {name: getattr(peer, name) for name in values}
    changed = {name: value for name, value in values.items() if before[name] != value}
    if not changed:
        return peer
    for name, value in changed.items():
        setattr(peer, name, value)
    peer.contact_after = None
    peer.save(update_fields=[*changed, "contact_after"])
    told = {name: before[name] for name in changed}
    record(
        actor=actor, action="peer.changed", target=peer, before=_said(told), after=_said(changed)
    )
    return peer


def try_peer(*, peer_id: int, actor: "User") -> str:
    """Connect to a receiver and hang up without sending anything; return how it was met.

    Raises:
        NotPermitted: the actor doesn't connect other systems.
        GuardFailed: it can't be reached, and why.
    """
    policies.check_can_manage(actor)
    peer = Peer.objects.get(pk=peer_id)
    problem = ""
    try:
        with open_connection(address_of(peer)):
            pass
    except NotReached as reason:
        problem = str(reason)
    with transaction.atomic():
        after = {"reached": not problem, "problem": problem}
        record(actor=actor, action="peer.tested", target=peer, after=after)
    if problem:
        raise GuardFailed(problem)
    Peer.objects.filter(pk=peer_id).update(contact_after=timezone.now())
    return "with TLS, its certificate verified" if peer.uses_tls else "in the clear"


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the audit trail keeps them: of a certificate its hash."""
    said = dict(values)
    if said.get("ca_certificate"):
        said["ca_certificate"] = hashlib.sha256(said["ca_certificate"].encode()).hexdigest()
    return said
