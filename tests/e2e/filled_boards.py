"""Fills the boards of quality, and what administrators answer for, with something to show.

To be called in a shell of the site's own: writes the addresses of the pages by name. The stop of
the classifier is released in the transaction that makes it, so that no worker ever waits.
"""

import json
import sys
import uuid
from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.access_reviews import decide, open_review
from accounts.models import User
from classifier.models import ModelVersion, Patient
from classifier.services.holds import hold_model
from demo import pictures
from quality.analytes import Expected
from quality.models import ControlMaterial, ControlStop
from quality.services import controls
from quality.services.control_runs import read_waiting, start_run
from quality.services.control_stops import override

CELLS = {"neutrophil": 2, "lymphocyte": 1}


def make() -> None:
    """Fill the boards; write each page's address by its name."""
    with transaction.atomic():
        addresses = _controls() | _accounts()
    read_waiting()
    json.dump(addresses, sys.stdout)


def _person(role: str) -> User:
    return User.objects.get(email=f"{role}@demo.example")


def _controls() -> dict[str, str]:
    administrator, pathologist = _person("administrator"), _person("pathologist")
    material = controls.add_material(
        actor=administrator, name="Normal blood, three levels of a long name", lot="N-2026-11"
    )
    wide = {"neutrophil": Expected(60, 60), "lymphocyte": Expected(30, 60)}
    target = controls.propose_values(
        actor=administrator, material_id=material.pk, values=wide, reason="From 20 counts by eye."
    )
    controls.approve_target(actor=pathologist, target_id=target.pk)
    for seed in (8_101, 8_102):
        files = list(pictures.rendered_cells(CELLS, seed=seed))
        start_run(actor=_person("technician"), material_id=material.pk, files=files)
    return _addresses_of(material) | {"control-stop": _stop(pathologist).get_absolute_url()}


def _addresses_of(material: ControlMaterial) -> dict[str, str]:
    names = {"control": "control", "control-run": "control_run", "control-target": "control_target"}
    return {name: reverse(f"quality:{route}", args=[material.pk]) for name, route in names.items()}


def _stop(pathologist: User) -> ControlStop:
    model = ModelVersion.objects.get(is_active=True)
    hold = hold_model(version=model, cause="A control was missing.", actor=User.system())
    stop = ControlStop.objects.create(hold=hold)
    return override(stop_id=stop.pk, actor=pathologist, reason="The slides had dried out.")


def _accounts() -> dict[str, str]:
    administrator = _person("administrator")
    day = timezone.localdate() + timedelta(days=14)
    review = open_review(actor=administrator, review_id=uuid.uuid4(), due_on=day)
    decide(
        actor=administrator, review=review, verdict="confirmed", reason="Works here as before.",
        line_ids=[review.lines.get(user=_person("technician")).pk],
    )  # fmt: skip
    patient = Patient.objects.order_by("registered_at")[0]
    return {
        "access-review": reverse("accounts:access_review", args=[review.pk]),
        "record-history": reverse(
            "accounts:record_history", args=["classifier.patient", patient.pk]
        ),
        "duties": reverse("accounts:user_duties", args=[_person("technician").pk]),
        "readings": reverse("classifier:patient_readings", args=[patient.pk]),
        "restrict": reverse("classifier:patient_restrict", args=[patient.pk]),
    }
