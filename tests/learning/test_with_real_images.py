"""The shipped releases on real cells: evaluated, compared, in shadow, promoted, rolled back.

With ``-s`` the tables are printed.
"""

import os
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import User
from classifier import inference
from classifier.models import Case, ModelVersion, Patient
from classifier.services import cases, classification
from classifier.services.images import add_image
from classifier.services.model_versions import activate_version
from learning.enums import Origin
from learning.models import Comparison, LabelledSet
from learning.selectors.shadow import get_shadow
from learning.services import evaluations, promotions
from learning.services.comparisons import compare, override_refusal
from learning.services.releases import register_candidate
from learning.services.shadow import read_in_shadow, start_shadow
from ml.artifacts import DEFAULT_RELEASE, FOUR_CLASS_RELEASE
from tests.clinical import recent_specimen
from tests.learning.judging import proof

pytestmark = [pytest.mark.django_db, pytest.mark.real_model]
MOST = 40


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


@pytest.fixture
def data_dir() -> Path:
    folder = os.environ.get("HEMATOVISION_DATA")
    if not folder or not (Path(folder) / "pbc" / "index.csv").is_file():
        pytest.skip("needs real images: set HEMATOVISION_DATA to the folder that holds pbc/")
    return Path(folder)


@pytest.fixture
def golden(data_dir: Path) -> LabelledSet:
    """At most so many cells a class of PBC's test fold, which neither release learned from."""
    call_command(
        "import_labelled_set",
        "golden",
        "pbc",
        "--data",
        str(data_dir),
        "--most",
        str(MOST),
        "--source",
        "PBC, test fold",
        "--licence",
        "CC BY 4.0",
        stdout=StringIO(),
    )
    return LabelledSet.objects.get()


def evaluate(version: ModelVersion, golden: LabelledSet, actor: User) -> None:
    evaluations.ask_evaluation(version_id=version.pk, set_id=golden.pk, actor=actor)
    while version.evaluations.get().is_open:
        evaluations.evaluate_waiting(worker="w")
    say(f"\n{version} on {golden} ({golden.cells.count()} cells, {golden.digest[:12]})")
    figures = version.evaluations.get().figures
    for name in ("accuracy", "referred", "coverage"):
        say(f"  {name:24} {figures[name]}")
    say(
        f"  {'balanced accuracy':24} {figures['balanced_accuracy']} "
        f"{figures['balanced_interval']}; ECE {figures['expected_calibration_error']}"
    )
    for name, each in figures["classes"].items():
        say(f"  {name:24} recall {each['recall']}")


def show(made: Comparison) -> None:
    say(
        f"\n{made} on {made.evaluation.labelled_set}: "
        f"{'REFUSED' if made.is_refused else 'not refused'}"
    )
    say(f"  {'class':22}{'n':>4}{'cand.':>8}{'in use':>8}{'diff.':>8}  95 %             p")
    for row in made.table["classes"]:
        low, high = row["interval_95"]
        say(
            f"  {row['name']:22}{row['cells']:4}{100 * row['candidate']['value']:8.1f}"
            f"{100 * row['incumbent']['value']:8.1f}{100 * row['difference']:+8.1f}"
            f"  {100 * low:+6.1f} to {100 * high:+6.1f}  {row['p_value']:.3g} "
            f"{row['verdict']}"
        )
    for reason in made.table["reasons"]:
        say(f"  because {reason}")


def read_case(patient: Patient, technician: User, golden: LabelledSet) -> Case:
    """A case of eight real pictures, read by the version in use."""
    opened = cases.open_case(
        actor=technician, patient=patient, order=cases.OrderDetails(), specimen=recent_specimen()
    )
    for cell in golden.cells.order_by("key")[:: max(1, golden.cells.count() // 8)]:
        with cell.file.open("rb") as picture:
            add_image(
                case_id=opened.pk,
                actor=technician,
                data=picture.read(),
                file_name=f"{cell.pk}.png",
                kind="cell",
            )
    submitted = cases.submit_case(case_id=opened.pk, actor=technician)
    classification.classify_waiting_runs(worker="w")
    return submitted


@pytest.fixture(autouse=True)
def _forget_releases() -> Iterator[None]:
    yield
    inference._stored.cache_clear()


def test_two_releases_on_real_cells_from_evaluation_to_rollback(
    golden: LabelledSet, administrator: User, pathologist: User, technician: User, patient: Patient
) -> None:
    eight = register_candidate(DEFAULT_RELEASE, origin=Origin.COMMAND, actor=administrator)
    four = register_candidate(FOUR_CLASS_RELEASE, origin=Origin.COMMAND, actor=administrator)
    activate_version(version_id=four.pk, actor=administrator, reason="first")
    for version in (four, eight):
        evaluate(version, golden, administrator)
    better = compare(version_id=eight.pk, set_id=golden.pk, actor=administrator)
    show(better)
    assert not any(row["verdict"] == "worse" for row in better.table["classes"])
    trial = start_shadow(version_id=eight.pk, actor=administrator)
    read_case(patient, technician, golden)
    read_in_shadow()
    page = get_shadow(administrator, trial)
    say(f"\n{trial}: {page.cells} cells, the same class {page.agreement}")
    for live, other, count in page.disagreements:
        say(f"  in use {live}, in shadow {other}: {count}")
    assert page.cells >= 8
    if better.is_refused:
        override_refusal(comparison_id=better.pk, reason="few cells", actor=pathologist)
    made = promotions.promote(
        version_id=eight.pk,
        reason="four more classes",
        actor=administrator,
        reauthentication=proof(administrator),
    )
    say(f"\n{made} in place of {made.replaced}, by {made.approved_by}")
    worse = compare(version_id=four.pk, set_id=golden.pk, actor=administrator)
    show(worse)
    assert worse.is_refused
    back = promotions.roll_back(
        reason="drill", actor=administrator, reauthentication=proof(administrator)
    )
    say(f"\n{back} in place of {back.replaced}")
    assert ModelVersion.objects.get(is_active=True) == four
