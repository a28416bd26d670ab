"""A picture that can't be read fails alone, with a sentence, and is read once it is repaired."""

from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.enums import CaseStatus, RunStatus
from classifier.models import ClassificationRun, Prediction
from classifier.services import cases
from tests.faults.conftest import Laboratory

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_a_damaged_picture_fails_alone_and_is_read_after_repair(
    laboratory: Laboratory, show: Callable[[str], None]
) -> None:
    case = laboratory.register(images=12)
    damaged = case.images.all()[5]
    master = Path(damaged.file.path)
    whole = master.read_bytes()
    master.write_bytes(whole[: len(whole) // 2])
    laboratory.submit(case)
    laboratory.start_worker()
    laboratory.wait_for(case, CaseStatus.CLASSIFICATION_FAILED)
    failed = ClassificationRun.objects.get(image__case=case, status=RunStatus.FAILED)
    assert failed.image == damaged
    assert "damaged" in failed.error_message
    assert laboratory.count(case, RunStatus.SUCCEEDED) == 11
    show(f"11 of 12 classified, 1 failed: {failed.error_message!r}")
    master.write_bytes(whole)
    cases.retry_classification(case_id=case.pk, actor=laboratory.technician)
    laboratory.wait_for(case, CaseStatus.AWAITING_REVIEW)
    assert laboratory.count(case, RunStatus.SUCCEEDED) == 12
    assert Prediction.objects.filter(cell__image__case=case).count() == 12
    show("repaired and retried: 12 successful runs, 12 predictions, awaiting review")
