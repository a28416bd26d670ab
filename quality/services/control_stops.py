"""A control stops the model, and somebody lets it read again."""

from collections.abc import Sequence
from typing import Final

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from classifier.exceptions import NotPermitted
from classifier.models import ModelHold
from classifier.services.holds import end_hold, hold_model, lock_stops_of
from quality import policies
from quality.analytes import title_of
from quality.enums import Release, Rule
from quality.exceptions import ControlRefused
from quality.models import ControlPoint, ControlRun, ControlStop, MissedControl
from quality.selectors.controls import good_run_since, model_in_use, next_due, rules_in_force
from quality.westgard import WARNS

MISSING: Final = "No good control was read in time."
NO_GOOD_RUN: Final = (
    "No control was good since the classifier was stopped. Run one, or release it without, "
    "with your reason."
)


def stop_after(run: ControlRun, points: Sequence[ControlPoint]) -> ControlStop:
    """Stop the version whose control was rejected, in the transaction that judges the run."""
    return _stop(run, f"Its control {run.material} broke {_in_words(points)}.")


@transaction.atomic
def watch_controls() -> None:
    """Tell once that a control is overdue, and stop the model where the laboratory wants that."""
    model = model_in_use()
    due = next_due(model) if model else None
    if model is None or due is None or not due.is_overdue:
        return
    missed, is_new = MissedControl.objects.get_or_create(model_version=model, due_at=due.at)
    if not is_new:
        return
    record(
        actor=User.system(), action="control.missed", target=missed,
        after={"model": str(model), "due_at": due.at, "last_good": due.last_good},
    )  # fmt: skip
    if rules_in_force().missing_stops:
        hold = hold_model(version=model, cause=MISSING, actor=User.system())
        ControlStop.objects.get_or_create(hold=hold)


@transaction.atomic
def release(*, stop_id: int, actor: User, reason: str) -> ControlStop:
    """Let the model read again, as a control begun after the stop was good. Again is harmless.

    Raises:
        NotPermitted: the actor may not release a stopped model.
        GuardFailed: no reason is given.
        ControlRefused: no such control was good.
    """
    stop = _lock(stop_id, actor)
    good = good_run_since(stop)
    if not stop.release and good is None:
        raise ControlRefused(NO_GOOD_RUN)
    return _release(stop, actor, reason, Release.GOOD_RUN, good)


@transaction.atomic
def override(*, stop_id: int, actor: User, reason: str) -> ControlStop:
    """Let the model read again without a good control, in the actor's name; it raises an alarm.

    Raises:
        NotPermitted: the actor may not release a stopped model.
        GuardFailed: no reason is given.
    """
    return _release(_lock(stop_id, actor), actor, reason, Release.OVERRIDE, None)


def _stop(run: ControlRun, cause: str) -> ControlStop:
    hold = hold_model(version=run.model_version, cause=cause[:300], actor=User.system())
    stop, _ = ControlStop.objects.get_or_create(hold=hold, defaults={"run": run})
    return stop


def _in_words(points: Sequence[ControlPoint]) -> str:
    """Say which rules broke on what: 1-3s (Neutrophil, Referred), 2-2s (Monocyte)."""
    by_rule: dict[str, list[str]] = {}
    for point in points:
        for rule in point.broken:
            if rule != WARNS:
                by_rule.setdefault(rule, []).append(title_of(point.analyte))
    return ", ".join(
        f"rule {Rule(rule).label} ({', '.join(names[:4])})" for rule, names in by_rule.items()
    )


def _lock(stop_id: int, actor: User) -> ControlStop:
    if not policies.can_release(actor):
        raise NotPermitted("You may not release a stopped classifier.")
    lock_stops_of(ModelHold.objects.get(control_stop=stop_id).model_version_id)
    stops = ControlStop.objects.select_for_update(of=("self",))
    return stops.select_related("hold__model_version", "run__material").get(pk=stop_id)


def _release(
    stop: ControlStop, actor: User, reason: str, kind: Release, good: ControlRun | None
) -> ControlStop:
    if stop.release:
        return stop
    end_hold(hold_id=stop.hold_id, actor=actor, reason=reason)
    stop.release, stop.good_run = kind, good
    stop.save(update_fields=["release", "good_run"])
    if kind == Release.OVERRIDE:
        record(actor=actor, action="control.overridden", target=stop.hold, reason=reason)
    return stop
