"""Proposing, approving and retiring the codes that are understood; one in use is never changed."""

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import DomainError, NotPermitted
from exchange import policies
from exchange.models import AnalyteCode, OrderCode

if TYPE_CHECKING:
    from accounts.models import User

ACTIONS = {OrderCode: "order_code", AnalyteCode: "analyte_code"}


def add_code(*, actor: "User", code: OrderCode | AnalyteCode) -> OrderCode | AnalyteCode:
    """Propose a code of a test or of an analyser; it holds once somebody else has approved it.

    Raises:
        NotPermitted: the actor doesn't connect other systems.
        DomainError: the code is proposed already.
    """
    _check(actor)
    code.added_by = actor
    try:
        with transaction.atomic():
            code.save(force_insert=True)
            after = {"code": code.code, "meaning": str(code)}
            record(actor=actor, action=f"{ACTIONS[type(code)]}.added", target=code, after=after)
    except IntegrityError as error:
        raise DomainError("This code is proposed already; it waits for a second person.") from error
    return code


@transaction.atomic
def approve_code(
    *, actor: "User", kind: type[OrderCode] | type[AnalyteCode], code_id: int
) -> OrderCode | AnalyteCode:
    """Put a proposed code in use; the row that held for it until now is retired.

    Raises:
        NotPermitted: the actor doesn't connect other systems, or proposed it.
        DomainError: it isn't a proposal any more.
    """
    _check(actor)
    code: OrderCode | AnalyteCode | None = (
        kind._default_manager.proposed().select_for_update().filter(pk=code_id).first()
    )
    if code is None:
        raise DomainError("This code was approved or retired already.")
    if code.added_by_id == actor.pk:
        raise NotPermitted("Another person approves what you proposed.")
    for former in _held_by(code):
        _retire(former, actor)
    code.approved_at, code.approved_by = timezone.now(), actor
    code.save(update_fields=["approved_at", "approved_by"])
    after = {"code": code.code, "meaning": str(code)}
    record(actor=actor, action=f"{ACTIONS[kind]}.approved", target=code, after=after)
    return code


def _held_by(code: OrderCode | AnalyteCode) -> list[OrderCode | AnalyteCode]:
    """Return the row in use that a proposal takes the place of."""
    if isinstance(code, AnalyteCode):
        same = AnalyteCode.objects.in_use().filter(sender=code.sender_id, code__iexact=code.code)
        return list(same.select_for_update(of=("self",)))
    return list(OrderCode.objects.in_use().filter(code=code.code).select_for_update(of=("self",)))


def _retire(code: OrderCode | AnalyteCode, actor: "User") -> None:
    code.retired_at, code.retired_by = timezone.now(), actor
    code.save(update_fields=["retired_at", "retired_by"])
    record(actor=actor, action=f"{ACTIONS[type(code)]}.retired", target=code)


@transaction.atomic
def retire_code(
    *, actor: "User", kind: type[OrderCode] | type[AnalyteCode], code_id: int
) -> OrderCode | AnalyteCode:
    """Take a code out of use, or a proposal back; messages with it are refused or passed over.

    Raises:
        NotPermitted: the actor doesn't connect other systems.
        DomainError: it is retired already.
    """
    _check(actor)
    code: OrderCode | AnalyteCode | None = (
        kind._default_manager.select_for_update().filter(pk=code_id, retired_at=None).first()
    )
    if code is None:
        raise DomainError("This code is retired already.")
    _retire(code, actor)
    return code


def _check(actor: "User") -> None:
    if not policies.can_manage_senders(actor):
        raise NotPermitted("You may not change what codes mean.")
