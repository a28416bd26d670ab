"""The clinical work of `benchmarks.improvement`: each function runs in a shell of the site's own.

Everything goes through the services that people use, as the technician or the pathologist; the
running workers read the cases. What the caller needs is written as one JSON object.
"""

import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from benchmarks.retraining import UNSEEN, WRONG, limited
from classifier.enums import CaseStatus
from classifier.models import Case, Cell, ModelVersion, Patient
from classifier.services import reviews
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case, submit_case
from classifier.services.corrections import correct_cells
from classifier.services.images import add_image
from classifier.services.model_versions import activate_version
from classifier.services.patients import Identity, register_patient
from demo.people import PASSWORD, STAFF
from learning.enums import Origin
from learning.models import Comparison, ShadowTrial
from learning.services.releases import register_candidate
from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.data.records import Record
from ml.data.splits import folds_by_group
from ml.sources import PBC, read_source
from reports.drafting import draft_report
from reports.enums import ReauthenticationMethod, SignatureMeaning
from reports.services.reauthentication import Reauthentication
from reports.services.sign_off import Intent, sign_off_case

PATIENTS = 24
MOST = 60
"""Cells of each class that are taught."""

NEW_CASE = 16
LONGEST_SECONDS = 900
_DEALT_BY = 1


def begin(release: str) -> None:
    """The laboratory's people, and the release that it has in use."""
    for member in STAFF:
        User.objects.create_user(
            email=member.email,
            full_name=member.full_name,
            title=member.title,
            role=member.role,
            password=PASSWORD,
        )
    ada = _person(Role.ADMINISTRATOR)
    version = register_candidate(
        Path(release), origin=Origin.COMMAND, actor=ada, note="Its head never saw a basophil."
    )
    activate_version(version_id=version.pk, actor=ada, reason="The laboratory's first version.")
    _tell({"version": str(version), "password": PASSWORD})


def take_in(data: str) -> None:
    """Register patients, each with a case of PBC's validation fold; have them read.

    Groups (overlapping fields) are never parted: each lies with one patient.
    """
    records, _ = _dealt(data)
    for number, part in enumerate(folds_by_group(records, PATIENTS, _DEALT_BY)):
        _submit(number, part)
    _await_reading()
    read = Cell.objects.filter(image__case__status=CaseStatus.AWAITING_REVIEW)
    _tell({"patients": Patient.objects.count(), "cells": read.count()})


def sign_misnamed(data: str) -> None:
    """Review and sign every case, with immature granulocytes named neutrophils."""
    named: Counter[str] = Counter()
    for case in Case.objects.filter(status=CaseStatus.AWAITING_REVIEW):
        reviews.open_review(case_id=case.pk, actor=_person(Role.PATHOLOGIST))
        for label, cells in _by_label(case, data).items():
            _name(case, cells, WRONG.get(label, label))
            named[WRONG.get(label, label)] += len(cells)
        _sign(case)
    _tell(dict(named))


def set_right(data: str) -> None:
    """Amend every report whose cells were misnamed, as a pathologist who sees the error does."""
    amended = 0
    for case in Case.objects.filter(status=CaseStatus.SIGNED_OFF):
        wrong = {label: cells for label, cells in _by_label(case, data).items() if label in WRONG}
        if not wrong:
            continue
        reviews.amend(
            case_id=case.pk,
            actor=_person(Role.PATHOLOGIST),
            reason="Immature granulocytes were named neutrophils.",
        )
        for label, cells in wrong.items():
            _name(case, cells, label)
        _sign(case)
        amended += 1
    _tell({"amended": amended})


def new_case(data: str, number: int) -> None:
    """A case of cells that nobody was taught with, half of them of the class that was unseen."""
    _, rest = _dealt(data)
    unseen = [each for each in rest if each.label == UNSEEN]
    others = [each for each in rest if each.label != UNSEEN]
    half = NEW_CASE // 2
    start = number * half
    _submit(PATIENTS + number, [*unseen[start : start + half], *others[start::97][:half]])
    _await_reading()
    _tell({})


def standing() -> None:
    """Which version read which cases, the latest of them one by one, and what is in use."""
    rows = []
    for case in Case.objects.order_by("accession_number"):
        runs = case.images.values_list("runs__model_version", flat=True)
        (version,) = ModelVersion.objects.filter(pk__in=set(runs))
        cells = Cell.objects.filter(image__case=case)
        rows.append({
            "case": case.accession_number,
            "page": case.get_absolute_url(),
            "version": str(version),
            "state": case.get_status_display(),
            "cells": cells.count(),
            "unseen": cells.filter(predictions__cell_type=UNSEEN).count(),
        })  # fmt: skip
    _tell({"cases": rows, "in_use": str(ModelVersion.objects.get(is_active=True))})


def table() -> None:
    """The table of the latest comparison."""
    found = Comparison.objects.select_related("candidate", "incumbent").latest("at")
    _tell({"words": str(found), "table": found.table})


def shadow_read() -> None:
    """Wait until the open trial has read what the version in use read since; tell how often."""
    ends_at = time.monotonic() + LONGEST_SECONDS
    trial = ShadowTrial.objects.get(ended_at=None)
    while trial.readings.count() < NEW_CASE and time.monotonic() < ends_at:
        time.sleep(1)
    _tell({"page": reverse("learning:shadow", args=[trial.pk]), "images": trial.readings.count()})


def _dealt(data: str) -> tuple[list[Record], list[Record]]:
    """The cells that are taught, at most MOST a class, and the others of the same fold."""
    seed = read_spec(DEFAULT_RELEASE).training["seed"]
    fold = read_source(PBC, Path(data), seed=seed)["validation"]
    taught = limited(fold, MOST)
    keys = {each.key for each in taught}
    groups = {each.group for each in taught}
    rest = [each for each in fold if each.key not in keys and each.group not in groups]
    return taught, rest


def _submit(number: int, records: Sequence[Record]) -> None:
    tess, now = _person(Role.TECHNICIAN), timezone.now()
    identity = Identity(
        f"PBC-{number:03}",
        "BARCELONA",
        f"Patient {number:03}",
        "A",
        date(1950 + number, 1, 1),
        "female",
    )
    case = open_case(
        actor=tess,
        patient=register_patient(actor=tess, identity=identity, duplicate_reason="Another person."),
        order=OrderDetails(),
        specimen=SpecimenDetails(collected_at=now - timedelta(hours=2), received_at=now),
    )
    for each in records:
        name = each.key.replace("/", "_")
        add_image(
            case_id=case.pk, actor=tess, data=each.path.read_bytes(), file_name=name, kind="cell"
        )
    submit_case(case_id=case.pk, actor=tess)


def _await_reading() -> None:
    ends_at = time.monotonic() + LONGEST_SECONDS
    while Case.objects.filter(status=CaseStatus.IN_CLASSIFICATION).exists():
        if time.monotonic() > ends_at:
            raise TimeoutError("The workers did not read the cases.")
        time.sleep(1)


def _by_label(case: Case, data: str) -> dict[str, list[Cell]]:
    """The cells of a case by what they really are, which the files' names tell."""
    labels = {each.key.replace("/", "_"): each.label for part in _dealt(data) for each in part}
    found: dict[str, list[Cell]] = {}
    for cell in Cell.objects.filter(image__case=case).select_related("image"):
        found.setdefault(labels[cell.image.original_name], []).append(cell)
    return found


def _name(case: Case, cells: Iterable[Cell], cell_type: str) -> None:
    correct_cells(
        case_id=case.pk,
        actor=_person(Role.PATHOLOGIST),
        cell_ids=[cell.pk for cell in cells],
        cell_type=cell_type,
        action_id=uuid.uuid4(),
    )


def _sign(case: Case) -> None:
    paul = _person(Role.PATHOLOGIST)
    case.refresh_from_db()
    sign_off_case(
        case_id=case.pk,
        actor=paul,
        intent=Intent(SignatureMeaning.APPROVAL, draft_report(case).draft_sha256),
        reauthentication=Reauthentication(paul.pk, ReauthenticationMethod.PASSWORD, timezone.now()),
    )


def _person(role: Role) -> User:
    people: QuerySet[User] = User.objects.filter(is_system=False)
    (found,) = (member.email for member in STAFF if member.role == role)
    return people.get(email=found)


def _tell(found: object) -> None:
    json.dump(found, sys.stdout)
