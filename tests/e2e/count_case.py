"""Makes a case of 200 drawn cells of which the machine has named ten wrongly.

To be called in a shell of the site's own: each function writes one JSON value.
"""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from PIL import Image

from accounts.models import User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import Case, Cell, ClassificationRun, ModelVersion, Patient, Prediction
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.images import add_image
from ml.classes import CELL_CLASSES, UNIDENTIFIED
from ml.synthetic import render_cell

SIDE = 96
SHARES = {
    "neutrophil": 112,
    "lymphocyte": 56,
    "monocyte": 14,
    "eosinophil": 8,
    "basophil": 4,
    "immature_granulocyte": 6,
}
"""What is on the slide: 200 leukocytes."""

WRONG_AND_REFERRED = {
    ("neutrophil", "immature_granulocyte"): 3,
    ("immature_granulocyte", "neutrophil"): 2,
    ("lymphocyte", "monocyte"): 1,
    ("monocyte", "lymphocyte"): 1,
}
WRONG_BUT_SURE = {
    ("neutrophil", "immature_granulocyte"): 1,
    ("immature_granulocyte", "neutrophil"): 1,
    ("monocyte", "immature_granulocyte"): 1,
}
RIGHT_BUT_REFERRED = {
    ("neutrophil", "neutrophil"): 6,
    ("lymphocyte", "lymphocyte"): 3,
    ("monocyte", "monocyte"): 2,
}
"""How many cells of (true class, likeliest class); all others are read rightly and surely.

In the shares of the released model on its test fold: it refers two of three cells that it would
name wrongly, and of 200 cells eleven that it would name rightly.
"""


@dataclass(frozen=True)
class Drawn:
    """A cell of the slide and what the machine says of it."""

    truth: str
    says: str
    is_referred: bool


def make() -> None:
    """Make the case, waiting for review; write its id and the true class of each cell."""
    technician = User.objects.get(email="technician@demo.example")
    now = timezone.now()
    case = open_case(
        actor=technician,
        patient=Patient.objects.earliest("pk"),
        order=OrderDetails(),
        specimen=SpecimenDetails(collected_at=now - timedelta(hours=2), received_at=now),
    )
    truth = {
        str(_add(case, technician, drawn, number).pk): drawn.truth
        for number, drawn in enumerate(_slide())
    }
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=technician, submitted_at=now
    )
    json.dump({"case": str(case.pk), "truth": truth}, sys.stdout)


def tell(case_id: str) -> None:
    """Write the class that now counts of each cell of the case."""
    cells = Cell.objects.filter(image__case__pk=case_id).with_findings()
    columns = ("pk", "human_type", "machine_type")
    words = {str(pk): human or machine for pk, human, machine in cells.values_list(*columns)}
    json.dump(words, sys.stdout)


def _slide() -> Iterator[Drawn]:
    left = dict(SHARES)
    for plan, is_referred in (
        (WRONG_AND_REFERRED, True),
        (WRONG_BUT_SURE, False),
        (RIGHT_BUT_REFERRED, True),
    ):
        for (truth, says), count in plan.items():
            left[truth] -= count
            yield from [Drawn(truth, says, is_referred)] * count
    for truth, count in left.items():
        yield from [Drawn(truth, truth, is_referred=False)] * count


def _add(case: Case, technician: User, drawn: Drawn, number: int) -> Cell:
    data = io.BytesIO()
    Image.fromarray(render_cell(drawn.truth, seed=number, size=SIDE)).save(data, "PNG")
    image = add_image(
        case_id=case.pk,
        actor=technician,
        data=data.getvalue(),
        file_name=f"cell-{number:03d}.png",
        kind="cell",
    )
    now = timezone.now()
    run = ClassificationRun.objects.create(
        image=image,
        model_version=ModelVersion.objects.get(is_active=True),
        status=RunStatus.SUCCEEDED,
        attempt=1,
        started_at=now,
        finished_at=now,
    )
    cell = image.cells.get()
    confidence = (0.5 if drawn.is_referred else 0.97) + number / 10_000
    rest = (1 - confidence) / (len(CELL_CLASSES) - 1)
    Prediction.objects.create(
        run=run,
        cell=cell,
        cell_type=UNIDENTIFIED if drawn.is_referred else drawn.says,
        confidence=confidence,
        probabilities=dict.fromkeys(CELL_CLASSES, rest) | {drawn.says: confidence},
        is_referred=drawn.is_referred,
    )
    return cell
