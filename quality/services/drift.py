"""Set the baseline; notice drift once a week and signal."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier.models import ModelVersion
from quality.drift import Shift
from quality.exceptions import BaselineRefused
from quality.models import Baseline, DriftAlert
from quality.periods import Period, monday_of
from quality.selectors.drift import baseline_of, shifts_of


def set_baseline(
    *, actor: User, model: ModelVersion, first: date, last: date, reason: str
) -> Baseline:
    """Compare later weeks of a model with these days from now on.

    Raises:
        PermissionDenied: the actor does not manage models.
        BaselineRefused: the days end before they begin or lie ahead, or no reason is given.
    """
    if not actor.has_perm("accounts.manage_models"):
        raise PermissionDenied
    if not first <= last <= timezone.localdate():
        raise BaselineRefused("The baseline must begin before it ends, and end by today.")
    if not reason.strip():
        raise BaselineRefused("Say why these days are the baseline.")
    with transaction.atomic():
        baseline = Baseline.objects.create(
            model_version=model, first=first, last=last, reason=reason.strip(), set_by=actor
        )
        record(
            actor=actor, action="drift.baseline_set", target=baseline, reason=reason,
            after={"model": str(model), "first": first, "last": last},
        )  # fmt: skip
    return baseline


def watch_drift() -> None:
    """Hold this week and the last against the baseline, and tell of what lies beyond its limit.

    A signal is told once a week, however often this runs.
    """
    model = ModelVersion.objects.filter(is_active=True).first()
    found = baseline_of(model) if model else None
    if model is None or found is None:
        return
    this = monday_of(timezone.localdate())
    for monday in (this - timedelta(days=7), this):
        week = Period(monday, monday + timedelta(days=6))
        if week.last <= found[0].last:
            continue
        for signal, shift in shifts_of(model, week, found[0]).items():
            if shift is not None and shift.is_shift:
                _tell(model, monday, signal, shift)


def _tell(model: ModelVersion, monday: date, signal: str, shift: Shift) -> None:
    with transaction.atomic():
        alert, is_new = DriftAlert.objects.get_or_create(
            model_version=model,
            monday=monday,
            signal=signal,
            defaults={"value": shift.value, "limit": shift.limit, "count": shift.count},
        )
        if is_new:
            record(
                actor=User.system(), action="drift.noticed", target=alert,
                after={
                    "model": str(model), "signal": signal, "value": round(shift.value, 4),
                    "limit": round(shift.limit, 4), "cells": shift.count,
                },
            )  # fmt: skip
