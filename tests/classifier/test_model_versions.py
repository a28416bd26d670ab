"""Model versions: registered once, one active, every step audited, a forged release refused."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEvent, User
from classifier import inference
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import ModelVersion
from classifier.services.model_versions import activate_version, register_release
from ml.artifacts import WEIGHTS_NAME, ReleaseSpec, sha256_of, write_spec
from ml.classes import CELL_CLASSES
from ml.fake import FakeClassifier
from ml.preprocessing import PREPROCESSING

pytestmark = pytest.mark.django_db

SPEC = ReleaseSpec(
    name="fake",
    version="0.0.0",
    architecture="mobilenet_v2",
    class_names=CELL_CLASSES,
    input_size=64,
    preprocessing=PREPROCESSING,
    sha256=FakeClassifier.sha256,
    temperature=1.0,
    threshold=0.5,
    metrics={"accuracy": 0.97},
    data={},
    training={},
)


@pytest.fixture
def release(tmp_path: Path, settings: Settings) -> Path:
    """The installed release: a spec and the weights it names, which nothing here loads."""
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / WEIGHTS_NAME).write_bytes(b"weights")
    write_spec(folder, replace(SPEC, sha256=sha256_of(folder / WEIGHTS_NAME)))
    settings.MODEL_RELEASE = folder
    return folder


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))


def register(version: str = SPEC.version) -> ModelVersion:
    return register_release(spec=replace(SPEC, version=version), actor=User.system())


def run_command(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("register_model", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_first_model_becomes_active() -> None:
    version = register()
    assert version.is_active
    assert version.class_names == list(CELL_CLASSES)
    assert version.metrics == {"accuracy": 0.97}
    assert version.approved_by == User.system()
    assert actions() == ["model.registered", "model.activated"]


def test_registering_again_changes_nothing() -> None:
    assert register() == register()
    assert len(actions()) == 2


def test_a_second_model_waits_to_be_activated() -> None:
    first, second = register(), register("1.0.0")
    assert (first.is_active, second.is_active) == (True, False)


def test_refuses_other_weights_under_a_known_version() -> None:
    register()
    with pytest.raises(DomainError, match="a changed model needs a new version"):
        register_release(spec=replace(SPEC, sha256="0" * 64), actor=User.system())


def test_activating_replaces_the_model_before(administrator: User) -> None:
    first, second = register(), register("1.0.0")
    activate_version(version_id=second.pk, actor=administrator, reason="validated")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_active, second.is_active) == (False, True)
    event = AuditEvent.objects.get(action="model.activated", actor=administrator)
    assert (event.before, event.after) == ({"active": "fake 0.0.0"}, {"active": "fake 1.0.0"})
    assert event.reason == "validated"


def test_activating_the_active_model_changes_nothing(administrator: User) -> None:
    version = register()
    activate_version(version_id=version.pk, actor=administrator, reason="again")
    assert len(actions()) == 2


def test_refuses_people_who_do_not_manage_models(technician: User, pathologist: User) -> None:
    version = register()
    for person in (technician, pathologist):
        with pytest.raises(NotPermitted):
            register_release(spec=SPEC, actor=person)
        with pytest.raises(NotPermitted):
            activate_version(version_id=version.pk, actor=person, reason="")


def test_the_command_registers_the_installed_release_at_every_start(release: Path) -> None:
    assert run_command() == ("fake 0.0.0 is active.\n", "")
    assert run_command() == ("fake 0.0.0 is active.\n", "")
    version = ModelVersion.objects.get()
    assert version.sha256 == inference.active_release().sha256


def test_the_command_says_when_another_model_is_active(release: Path) -> None:
    register("0.9.0")
    out, err = run_command()
    assert out == ""
    assert "fake 0.0.0 is installed, but fake 0.9.0 is active" in err
    assert "--activate --reason TEXT" in err
    assert run_command("--activate", "--reason", "validated") == ("fake 0.0.0 is active.\n", "")


def test_the_command_refuses_a_release_whose_hash_differs(release: Path) -> None:
    (release / WEIGHTS_NAME).write_bytes(b"forged!")
    with pytest.raises(CommandError, match="is not the released model"):
        run_command()
    assert not ModelVersion.objects.exists()


def test_a_release_registered_before_learns_the_confusion_it_now_states() -> None:
    register()
    matrix = tuple(tuple(9 * (a == b) for b in range(8)) for a in range(8))
    for _ in range(2):
        register_release(spec=replace(SPEC, confusion_of_accepted=matrix), actor=User.system())
    stored = ModelVersion.objects.get().confusion_of_accepted
    assert stored == [list(row) for row in matrix]
    assert actions().count("model.confusion_stated") == 1
    register("0.0.1")
    assert ModelVersion.objects.get(version="0.0.1").confusion_of_accepted is None
