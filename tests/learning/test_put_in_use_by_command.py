"""A version that is put in use from the command line: among the promotions, audited, told."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed
from classifier.models import ModelVersion
from classifier.services.model_versions import activate_version
from learning.enums import PromotionKind
from learning.models import Promotion
from learning.services.promotions import REASON_LIMIT, put_in_use_by_command, roll_back
from learning.services.shadow import start_shadow
from ml.artifacts import FOUR_CLASS_RELEASE
from notifications.models import Notice
from tests.browsing import SignIn
from tests.learning.judging import Bench, proof
from tests.pages import words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(bench: Bench, administrator: User) -> ModelVersion:
    """The version that is in use before."""
    return activate_version(version_id=bench.add(1).pk, actor=administrator, reason="first")


def test_it_stands_among_the_promotions_with_operator_and_reason(
    bench: Bench, active: ModelVersion, administrator: User, client_for: SignIn
) -> None:
    version = bench.add(2)
    made = put_in_use_by_command(version_id=version.pk, reason="The site is down.", operator="ops")
    assert made is not None
    assert (made.kind, made.replaced) == (PromotionKind.BY_COMMAND, active)
    assert (made.approved_by, made.reauthenticated_at) == (User.system(), None)
    event = AuditEvent.objects.get(action="model.put_in_use_by_command")
    assert event.after is not None
    assert (event.after["operator"], event.reason) == ("ops", "The site is down.")
    listed = words_of(client_for(administrator).get(reverse("learning:promotions")))
    for words in ("Put in use by command", "run by ops, nothing compared", "The site is down."):
        assert words in listed


def test_it_is_rolled_back_like_any_other(
    bench: Bench, active: ModelVersion, administrator: User
) -> None:
    put_in_use_by_command(version_id=bench.add(2).pk, reason="A try.", operator="ops")
    back = roll_back(reason="odd", actor=administrator, reauthentication=proof(administrator))
    assert (back.version, ModelVersion.objects.get(is_active=True)) == (active, active)


def test_the_version_in_use_again_changes_nothing(active: ModelVersion) -> None:
    assert put_in_use_by_command(version_id=active.pk, reason="Again.", operator="ops") is None
    assert not Promotion.objects.exists()


def test_its_shadow_trial_ends(bench: Bench, active: ModelVersion, administrator: User) -> None:
    version = bench.add(2)
    trial = start_shadow(version_id=version.pk, actor=administrator)
    put_in_use_by_command(version_id=version.pk, reason="A try.", operator="ops")
    trial.refresh_from_db()
    assert trial.ended_at is not None


@pytest.mark.parametrize(
    ("reason", "operator"), [(" ", "ops"), ("why", " "), ("w" * (REASON_LIMIT + 1), "ops")]
)
def test_refuses_without_reason_or_operator(
    bench: Bench, active: ModelVersion, reason: str, operator: str
) -> None:
    with pytest.raises(GuardFailed, match="Give a reason"):
        put_in_use_by_command(version_id=bench.add(2).pk, reason=reason, operator=operator)
    active.refresh_from_db()
    assert active.is_active


def test_the_database_holds_that_all_others_are_proven(active: ModelVersion) -> None:
    with pytest.raises(IntegrityError, match="promotion_is_proven"), transaction.atomic():
        Promotion.objects.create(
            version=active, kind=PromotionKind.PROMOTED, reason="r", approved_by=User.system()
        )


def test_the_command_asks_for_a_reason_before_it_registers_anything() -> None:
    with pytest.raises(CommandError, match="Say with --reason why"):
        call_command("register_model", str(FOUR_CLASS_RELEASE), activate=True)
    assert not ModelVersion.objects.exists()


def test_the_command_puts_another_release_in_use_and_people_are_told(
    active: ModelVersion, technician: User, four_class_zip: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:  # fmt: skip
    out = StringIO()
    with django_capture_on_commit_callbacks(execute=True):
        call_command("register_model", str(four_class_zip), activate=True, reason="Validated.",
                     by="Omar of IT", stdout=out)  # fmt: skip
    made = Promotion.objects.get()
    assert (made.operator, made.reason) == ("Omar of IT", "Validated.")
    assert made.version == ModelVersion.objects.get(is_active=True)
    assert f"{made.version} is active." in out.getvalue()
    assert Notice.objects.filter(recipient=technician).exists()
