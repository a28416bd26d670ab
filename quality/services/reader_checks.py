"""Reader checks: dealt, named blind, completed and scored; reminded of, withdrawn."""

import random
import secrets
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEvent, User
from classifier import policies as clinical
from classifier.enums import CellType
from classifier.exceptions import EditConflict, NotPermitted
from quality import policies
from quality.exceptions import CheckRefused
from quality.models import CheckAnswer, CheckCell, CheckRules, KnownCell, ReaderCheck
from quality.selectors.known_cells import cells_for
from quality.selectors.reader_checks import (
    Rules,
    answers_of,
    cells_to_read,
    list_readers,
    open_checks,
    result_of,
    rules_in_force,
)

if TYPE_CHECKING:
    from classifier.models import Case

FEWEST_CELLS, MOST_CELLS = 10, 100
LONGEST_DAYS = 366
REMIND_BEFORE = timedelta(days=3)


@transaction.atomic
def set_rules(*, actor: User, rules: Rules, reason: str) -> CheckRules:
    """Say how often readers are checked, with how many cells, and below what it is told.

    Raises:
        NotPermitted: the actor doesn't manage the laboratory.
        CheckRefused: a number is out of range, or no reason is given.
    """
    _check(actor)
    if not reason.strip():
        raise CheckRefused("Say why the rules are so.")
    if not FEWEST_CELLS <= rules.cells <= MOST_CELLS:
        raise CheckRefused(f"A check holds {FEWEST_CELLS} to {MOST_CELLS} cells.")
    if rules.every_days is not None and not 1 <= rules.every_days <= LONGEST_DAYS:
        raise CheckRefused(f"Checks are dealt every 1 to {LONGEST_DAYS} days.")
    if not 1 <= rules.due_days <= LONGEST_DAYS:
        raise CheckRefused(f"A reader has 1 to {LONGEST_DAYS} days for a check.")
    if rules.least_percent is not None and not 1 <= rules.least_percent <= 100:
        raise CheckRefused("The limit is 1 to 100 percent.")
    before = rules_in_force()
    stored = CheckRules.objects.create(
        every_days=rules.every_days, cells=rules.cells, due_days=rules.due_days,
        least_percent=rules.least_percent, reason=reason.strip()[:250], set_by=actor,
    )  # fmt: skip
    record(
        actor=actor, action="check.rules_set", target=stored, reason=reason,
        before=before.as_facts(), after=rules.as_facts(),
    )  # fmt: skip
    return stored


@transaction.atomic
def deal(*, actor: User, reader_id: int) -> ReaderCheck:
    """Give a reader a check of known cells that are new to them. One that is open is kept.

    Drawn are cells of as many classes as there are, in an order that follows nothing.

    Raises:
        NotPermitted: the actor doesn't manage the laboratory, or the person reviews no cases.
        CheckRefused: too few known cells are new to the reader.
    """
    if not (actor.is_system or policies.can_keep_checks(actor)):
        raise NotPermitted("Only whoever manages the laboratory deals reader checks.")
    reader = User.objects.select_for_update(of=("self",)).get(pk=reader_id)
    if not policies.is_reader(reader):
        raise NotPermitted("Only who reviews cases is checked.")
    if found := open_checks().filter(reader=reader).first():
        return found
    rules = rules_in_force()
    drawn = _draw(reader, rules.cells)
    if len(drawn) < rules.cells:
        raise CheckRefused(
            f"Only {len(drawn)} known cells are new to {reader.full_name}; a check takes "
            f"{rules.cells}. Take the cells of further reference counts."
        )
    check = ReaderCheck.objects.create(
        reader=reader, due_on=timezone.localdate() + timedelta(days=rules.due_days)
    )
    CheckCell.objects.bulk_create(
        CheckCell(check_of=check, position=position, known=known)
        for position, known in enumerate(drawn, start=1)
    )
    _audit(actor, check, "check.dealt", {"cells": len(drawn), "due_on": check.due_on})
    return check


def tend_checks() -> None:
    """Deal the checks that have come due, remind of those that soon are, tell of the overdue.

    Each is told once. Where too few known cells are new to a reader, whoever keeps the set is
    told once in the time between two checks.
    """
    now, today = timezone.now(), timezone.localdate()
    rules = rules_in_force()
    if rules.every_days is not None:
        for state in list_readers():
            if state.is_due(rules.every_days):
                _deal_or_tell(state.reader, timedelta(days=rules.every_days))
    soon = open_checks().filter(
        reminded_at=None, due_on__range=(today, today + REMIND_BEFORE),
        dealt_at__lt=now - REMIND_BEFORE,
    )  # fmt: skip
    for check in soon:
        _tell(check, "reminded_at", "check.reminded")
    for check in open_checks().filter(overdue_at=None, due_on__lt=today):
        _tell(check, "overdue_at", "check.overdue")


@transaction.atomic
def name_cell(
    *, check_id: uuid.UUID, actor: User, position: int, cell_type: str, action_id: uuid.UUID
) -> CheckAnswer:
    """Name a cell of one's own open check; a later name replaces an earlier one.

    Raises:
        CheckRefused: the check isn't open to the actor, or holds no such cell or class.
        EditConflict: the action id was used for something else.
    """
    check = _lock_own(check_id, actor)
    if cell_type not in CellType.values:
        raise CheckRefused("There is no such cell class.")
    repeated = CheckAnswer.objects.filter(action_id=action_id).select_related("cell").first()
    if repeated:
        same = (repeated.cell.check_of_id, repeated.cell.position) == (check.pk, position)
        if not same or repeated.cell_type != cell_type:
            raise EditConflict("This step was already recorded for something else.")
        return repeated
    cell = cells_to_read(check).filter(position=position).first()
    if cell is None:
        raise CheckRefused("This cell is not among those of the check.")
    return cell.answers.create(cell_type=cell_type, action_id=action_id)


@transaction.atomic
def complete(*, check_id: uuid.UUID, actor: User) -> ReaderCheck:
    """End one's check; its names can't be changed any more. Again is harmless.

    Whoever manages the laboratory is told when fewer cells than its limit were named as agreed.

    Raises:
        CheckRefused: the check isn't the actor's, or cells are still without a name.
    """
    done = ReaderCheck.objects.filter(pk=check_id, reader=actor, completed_at__isnull=False)
    if found := done.first():
        return found
    check = _lock_own(check_id, actor)
    left = cells_to_read(check).count() - len(answers_of(check))
    if left:
        raise CheckRefused(f"{left} {'cell is' if left == 1 else 'cells are'} still unnamed.")
    check.completed_at = timezone.now()
    check.save(update_fields=["completed_at"])
    result, rules = result_of(check), rules_in_force()
    facts = {"as_agreed": result.right, "cells": result.cells}
    _audit(actor, check, "check.completed", facts)
    least = rules.least_percent
    if least is not None and result.cells and 100 * result.right < least * result.cells:
        _audit(User.system(), check, "check.below_limit", facts | {"least_percent": least})
    return check


@transaction.atomic
def withdraw(*, check_id: uuid.UUID, actor: User, reason: str) -> ReaderCheck:
    """Take back a check that nobody completed, as its reader is away. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't manage the laboratory.
        CheckRefused: it is completed, or no reason is given.
    """
    _check(actor)
    if not reason.strip():
        raise CheckRefused("Say why the check is withdrawn.")
    check = ReaderCheck.objects.select_for_update(of=("self",)).get(pk=check_id)
    if check.completed_at is not None:
        raise CheckRefused("The check is completed.")
    if check.withdrawn_at is None:
        check.withdrawn_by, check.withdrawn_at = actor, timezone.now()
        check.withdrawn_because = reason.strip()[:250]
        check.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawn_because"])
        record(actor=actor, action="check.withdrawn", target=check, reason=reason)
    return check


def _draw(reader: User, count: int) -> list[KnownCell]:
    """Draw cells new to the reader, of the classes in turn, then shuffle them.

    None of a case that the reader had to do with in any way.
    """
    chance = random.Random(secrets.randbits(64))  # noqa: S311 (a draw, not a secret)
    by_class: dict[str, list[KnownCell]] = {}
    took_part: dict[uuid.UUID, bool] = {}
    cells = list(cells_for(reader).select_related("cell__image__case"))
    chance.shuffle(cells)
    for known in cells:
        case: Case | None = known.cell.image.case if known.cell else None
        if case and case.pk not in took_part:
            took_part[case.pk] = clinical.took_part(reader, case)
        if case is None or not took_part[case.pk]:
            by_class.setdefault(known.cell_type, []).append(known)
    drawn: list[KnownCell] = []
    while len(drawn) < count and any(by_class.values()):
        for waiting in by_class.values():
            if waiting and len(drawn) < count:
                drawn.append(waiting.pop())
    chance.shuffle(drawn)
    return drawn


def _deal_or_tell(reader: User, between: timedelta) -> None:
    try:
        deal(actor=User.system(), reader_id=reader.pk)
    except CheckRefused as refusal:
        told = AuditEvent.objects.filter(
            action="check.cells_short", target_id=str(reader.pk), at__gt=timezone.now() - between
        )
        if not told.exists():
            with transaction.atomic():
                record(
                    actor=User.system(), action="check.cells_short", target=reader,
                    reason=str(refusal),
                )  # fmt: skip


@transaction.atomic
def _tell(check: ReaderCheck, moment: str, action: str) -> None:
    locked = open_checks().select_for_update(of=("self",)).filter(**{moment: None}, pk=check.pk)
    if found := locked.first():
        setattr(found, moment, timezone.now())
        found.save(update_fields=[moment])
        _audit(User.system(), found, action, {"due_on": found.due_on})


def _lock_own(check_id: uuid.UUID, actor: User) -> ReaderCheck:
    found = open_checks().select_for_update(of=("self",)).filter(pk=check_id, reader=actor).first()
    if found is None:
        raise CheckRefused("This reader check is not open to you.")
    return found


def _check(actor: User) -> None:
    if not policies.can_keep_checks(actor):
        raise NotPermitted("Only whoever manages the laboratory keeps reader checks.")


def _audit(actor: User, check: ReaderCheck, action: str, after: dict[str, Any]) -> None:
    record(
        actor=actor, action=action, target=check, after={"reader": check.reader.full_name, **after}
    )
