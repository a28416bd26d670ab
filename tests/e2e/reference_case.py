"""Makes a small case of drawn cells, and pathologists who have never seen it.

To be called in a shell of the site's own: writes one JSON value.
"""

import io
import json
import sys
import uuid
from datetime import timedelta

from django.utils import timezone
from PIL import Image

from accounts.enums import Role
from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, ModelVersion, Patient, StudyCell
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.images import add_image
from demo.people import PASSWORD
from ml.synthetic import render_cell
from tests.reviewing import read_image

SLIDE = ("neutrophil", "neutrophil", "lymphocyte", "monocyte", "eosinophil", "neutrophil")
MACHINE = ("neutrophil", "neutrophil", "lymphocyte", "unidentified", "neutrophil", "neutrophil")


def make_readers() -> None:
    """Make three pathologists; write how many."""
    for number in (1, 2, 3):
        User.objects.create_user(
            email=f"reader{number}@demo.example",
            full_name=f"Reader Number {number}",
            role=Role.PATHOLOGIST,
            password=PASSWORD,
        )
    json.dump(3, sys.stdout)


def make_case() -> None:
    """Make a case that waits for review; write its id and accession number."""
    technician = User.objects.get(email="technician@demo.example")
    now = timezone.now()
    case = open_case(
        actor=technician,
        patient=Patient.objects.earliest("pk"),
        order=OrderDetails(),
        specimen=SpecimenDetails(collected_at=now - timedelta(hours=2), received_at=now),
    )
    model = ModelVersion.objects.get(is_active=True)
    for number, (truth, answer) in enumerate(zip(SLIDE, MACHINE, strict=True)):
        data = io.BytesIO()
        Image.fromarray(render_cell(truth, seed=number, size=120)).save(data, "PNG")
        image = add_image(
            case_id=case.pk,
            actor=technician,
            data=data.getvalue(),
            file_name=f"{number}.png",
            kind="cell",
        )
        read_image(image, model, answer)
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=technician, submitted_at=now
    )
    json.dump({"case": str(case.pk), "accession": case.accession_number}, sys.stdout)


def tell(study_id: str) -> None:
    """Write the true class of each cell of the study, in the order of its positions."""
    cells = StudyCell.objects.filter(study=uuid.UUID(study_id)).select_related("cell__image")
    drawn = [SLIDE[int(each.cell.image.original_name[0])] for each in cells.order_by("position")]
    json.dump(drawn, sys.stdout)
