"""The clinical work of a loop of improvement, in a shell of the site's own.

Everything goes through the services that people use, as the technician or the pathologist; the
running workers read the cases. What the caller needs is written as one JSON object.
"""

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, Cell, ModelVersion, Patient
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case, submit_case
from classifier.services.corrections import correct_cells
from classifier.services.images import add_image
from classifier.services.model_versions import activate_version
from classifier.services.patients import Identity, register_patient
from classifier.services.reviews import open_review
from demo.people import PASSWORD, STAFF
from learning.enums import Origin
from learning.models import Comparison, ShadowTrial
from learning.services.releases import register_candidate
from ml.data.records import Record
from ml.data.splits import folds_by_group
from reports.drafting import draft_report
from reports.enums import ReauthenticationMethod, SignatureMeaning
from reports.services.reauthentication import Reauthentication
from reports.services.sign_off import Intent, sign_off_case

PATIENTS = 24
LONGEST_SECONDS = 900
_DEALT_BY = 1


def begin_with(release: Path, note: str) -> None:
    """The laboratory's people, and the release that it has in use."""
    for member in STAFF:
        User.objects.create_user(
            email=member.email,
            full_name=member.full_name,
            title=member.title,
            role=member.role,
            password=PASSWORD,
        )
    ada = person(Role.ADMINISTRATOR)
    version = register_candidate(release, origin=Origin.COMMAND, actor=ada, note=note)
    activate_version(version_id=version.pk, actor=ada, reason="The laboratory's first version.")
    tell({"version": str(version), "password": PASSWORD})


def register_and_read(records: Sequence[Record]) -> None:
    """Register patients, each with a case of some of the cells; have them read.

    Groups (overlapping fields) are never parted: each lies with one patient.
    """
    for number, part in enumerate(folds_by_group(records, PATIENTS, _DEALT_BY)):
        submit(number, part)
    await_reading()
    read = Cell.objects.filter(image__case__status=CaseStatus.AWAITING_REVIEW)
    tell({"patients": Patient.objects.count(), "cells": read.count()})


def read_another(number: int, records: Sequence[Record]) -> None:
    """A case of a further patient, read by what is in use."""
    submit(PATIENTS + number, records)
    await_reading()
    tell({"images": len(records)})


def open_reviews() -> Iterator[Case]:
    """Every case that waits, opened by the pathologist."""
    for case in Case.objects.filter(status=CaseStatus.AWAITING_REVIEW):
        open_review(case_id=case.pk, actor=person(Role.PATHOLOGIST))
        yield case


def cells_by_label(case: Case, labels: Mapping[str, str]) -> dict[str, list[Cell]]:
    """The cells of a case by what they really are, which the files' names tell."""
    found: dict[str, list[Cell]] = {}
    for cell in Cell.objects.filter(image__case=case).select_related("image"):
        found.setdefault(labels[cell.image.original_name], []).append(cell)
    return found


def labels_by_name(records: Iterable[Record]) -> dict[str, str]:
    """What each uploaded file shows."""
    return {_file_name(each): each.label for each in records}


def name_cells(case: Case, cells: Iterable[Cell], cell_type: str) -> None:
    """Name cells as the pathologist."""
    correct_cells(
        case_id=case.pk,
        actor=person(Role.PATHOLOGIST),
        cell_ids=[cell.pk for cell in cells],
        cell_type=cell_type,
        action_id=uuid.uuid4(),
    )


def sign(case: Case) -> None:
    """Sign a case as the pathologist."""
    paul = person(Role.PATHOLOGIST)
    case.refresh_from_db()
    sign_off_case(
        case_id=case.pk,
        actor=paul,
        intent=Intent(SignatureMeaning.APPROVAL, draft_report(case).draft_sha256),
        reauthentication=Reauthentication(paul.pk, ReauthenticationMethod.PASSWORD, timezone.now()),
    )


def tell_standing(count: Callable[[Case], int]) -> None:
    """Which version read which cases, each with a count of its own, and what is in use."""
    rows = []
    for number, case in enumerate(Case.objects.order_by("accession_number")):
        runs = case.images.values_list("runs__model_version", flat=True)
        (version,) = ModelVersion.objects.filter(pk__in=set(runs))
        rows.append({
            "case": case.accession_number,
            "version": str(version),
            "state": case.get_status_display(),
            "cells": Cell.objects.filter(image__case=case).count(),
            "counted": count(case),
            "is_new": number >= PATIENTS,
        })  # fmt: skip
    tell({"cases": rows, "in_use": str(ModelVersion.objects.get(is_active=True))})


def tell_tables() -> None:
    """The tables of the latest candidate, by the set on which it was compared."""
    candidate = Comparison.objects.latest("at").candidate
    found = candidate.comparisons.select_related("evaluation__labelled_set").order_by("at")
    tables = [
        {
            "set": each.evaluation.labelled_set.name,
            "page": reverse("learning:comparison", args=[each.pk]),
            "table": each.table,
        }
        for each in found
    ]
    tell({"tables": tables})


def await_shadow(images: int) -> None:
    """Wait until the open trial has read so many images, and tell where its page is."""
    ends_at = time.monotonic() + LONGEST_SECONDS
    trial = ShadowTrial.objects.get(ended_at=None)
    while trial.readings.count() < images and time.monotonic() < ends_at:
        time.sleep(1)
    tell({"page": reverse("learning:shadow", args=[trial.pk]), "images": trial.readings.count()})


def submit(number: int, records: Sequence[Record]) -> None:
    """Register a patient, upload the pictures of cells, and submit the case, as the technician."""
    tess, now = person(Role.TECHNICIAN), timezone.now()
    identity = Identity(
        f"LOOP-{number:03}",
        "LOOP",
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
        add_image(
            case_id=case.pk,
            actor=tess,
            data=each.path.read_bytes(),
            file_name=_file_name(each),
            kind="cell",
        )
    submit_case(case_id=case.pk, actor=tess)


def await_reading() -> None:
    """Wait until the workers have read every case."""
    ends_at = time.monotonic() + LONGEST_SECONDS
    while Case.objects.filter(status=CaseStatus.IN_CLASSIFICATION).exists():
        if time.monotonic() > ends_at:
            raise TimeoutError("The workers did not read the cases.")
        time.sleep(1)


def person(role: Role) -> User:
    """Who has this role; of several, the first of the staff."""
    people: QuerySet[User] = User.objects.filter(is_system=False)
    return people.get(email=next(member.email for member in STAFF if member.role == role))


def tell(found: object) -> None:
    """Answer the caller."""
    json.dump(found, sys.stdout)


def _file_name(record: Record) -> str:
    return record.key.replace("/", "_")
