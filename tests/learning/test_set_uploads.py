"""An archive of labelled pictures through its page: checked by a worker, frozen or refused."""

import uuid
from collections.abc import Mapping

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEvent, User
from classifier.models import Case
from learning.enums import SetKind, SetState, UploadStatus
from learning.models import BasisOfUse, LabelledSet, SetUpload
from learning.services import set_uploads
from learning.services.golden import open_set
from learning.services.set_uploads import check_set_uploads
from tests.browsing import SignIn
from tests.clinical import picture_bytes
from tests.learning.conftest import Pack
from tests.learning.test_training_sets import basis, open_today, signed
from tests.pages import text_of

__all__ = ["basis", "signed"]
pytestmark = pytest.mark.django_db

ADDRESS = "/administration/models/sets/upload/"
FORM = {"name": "north", "kind": "source", "source": "North, Giemsa", "licence": "CC BY 4.0"}
FILES = {"neutrophil/a.png": (24, 1), "neutrophil/b.png": (24, 2), "Lymphocytes/c.png": (24, 3)}


@pytest.fixture
def office(administrator: User, client_for: SignIn) -> Client:
    return client_for(administrator)


@pytest.fixture
def archive(pack: Pack) -> bytes:
    """Three pictures in two class folders."""
    return pack({name: drawn(seed) for name, (_, seed) in FILES.items()}).read_bytes()


def drawn(seed: int) -> bytes:
    return picture_bytes(seed, size=(24, 24))


def send(office: Client, data: bytes, **said: str) -> int:
    file = SimpleUploadedFile("../north.zip", data)
    values = FORM | {"upload_id": str(uuid.uuid4()), "archive": file} | said
    return int(office.post(ADDRESS, values).status_code)


def refused(office: Client, data: bytes) -> str:
    """What the page says of an archive that its worker refuses."""
    assert send(office, data) == 302
    check_set_uploads()
    upload = SetUpload.objects.get()
    assert upload.status == UploadStatus.REFUSED
    assert not LabelledSet.objects.exists()
    assert upload.message in text_of(office.get(reverse("learning:sets")))
    assert AuditEvent.objects.filter(action="labelled_set.upload_refused").count() == 1
    return upload.message


def test_a_sound_archive_becomes_a_frozen_set(
    office: Client, archive: bytes, administrator: User
) -> None:
    assert send(office, archive) == 302
    assert "Waiting for a worker" in text_of(office.get(reverse("learning:sets")))
    check_set_uploads()
    upload = SetUpload.objects.get()
    assert (upload.status, upload.original_name) == (UploadStatus.ACCEPTED, "north.zip")
    found = upload.labelled_set
    assert found is not None
    assert (found.kind, found.state, found.frozen_by) == ("source", SetState.FROZEN, administrator)
    assert sorted(found.cells.values_list("cell_type", "key")) == [
        ("lymphocyte", "Lymphocytes/c.png"),
        ("neutrophil", "neutrophil/a.png"),
        ("neutrophil", "neutrophil/b.png"),
    ]
    assert not upload.file.storage.exists(f"model-uploads/{upload.pk}")
    assert "north v1" in text_of(office.get(reverse("learning:sets")))
    told = AuditEvent.objects.filter(action__startswith="labelled_set.").order_by("at")
    assert [event.action.split(".")[1] for event in told] == [
        "uploaded", "opened", "imported", "frozen",
    ]  # fmt: skip


def test_the_page_follows_the_check_and_loads_anew_once_it_is_over(
    office: Client, archive: bytes
) -> None:
    send(office, archive)
    asking = {"HX-Request": "true", "X-Background": "1"}
    part = office.get(reverse("learning:sets"), headers=asking)
    assert "Waiting for a worker" in text_of(part)
    assert "HX-Refresh" not in part.headers
    check_set_uploads()
    again = office.get(reverse("learning:sets"), headers=asking)
    assert again.headers["HX-Refresh"] == "true"
    assert "X-Background" not in office.get(reverse("learning:sets")).content.decode()


def test_the_same_form_twice_is_one_upload_and_checked_once(office: Client, archive: bytes) -> None:
    key = str(uuid.uuid4())
    for _ in range(2):
        assert send(office, archive, upload_id=key) == 302
    for _ in range(2):
        check_set_uploads()
    assert (SetUpload.objects.count(), LabelledSet.objects.count()) == (1, 1)


def test_another_worker_that_was_slower_makes_no_second_set(office: Client, archive: bytes) -> None:
    send(office, archive)
    seen_by_both = SetUpload.objects.get()
    check_set_uploads()
    seen_by_both.file.save("", ContentFile(archive), save=False)
    set_uploads._check(seen_by_both)
    assert LabelledSet.objects.count() == 1


def test_the_same_name_again_is_its_next_version(
    office: Client, archive: bytes, pack: Pack
) -> None:
    for data in (archive, pack({"monocyte/d.png": drawn(4)}).read_bytes()):
        send(office, data)
        check_set_uploads()
    assert sorted(map(str, LabelledSet.objects.all())) == ["north v1", "north v2"]


def test_the_same_cells_again_are_refused_and_leave_nothing(office: Client, archive: bytes) -> None:
    for name in ("north", "south"):
        send(office, archive, name=name)
        check_set_uploads()
    assert "The same cells are frozen as north v1 already." in text_of(
        office.get(reverse("learning:sets"))
    )
    assert LabelledSet.objects.get().name == "north"


def test_pictures_that_a_training_set_holds_are_refused(
    office: Client, pack: Pack, signed: Case, basis: BasisOfUse, administrator: User
) -> None:
    learned = open_today(administrator).cells.order_by("pk").first()
    assert learned is not None
    with learned.file.open("rb") as file:
        data = pack({"eosinophil/a.png": file.read(), "eosinophil/b.png": drawn(1)}).read_bytes()
    assert "1 of the pictures are in training set 1." in refused(office, data)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"neutrophil/a.png": b"no picture"}, "1 pictures can't be used: neutrophil/a.png"),
        ({"blobs/a.png": b"x", "neutrophil/a.png": b"x"}, "Unknown class names: blobs."),
        ({"../../neutrophil/a.png": b"x"}, "leads out of the archive"),
    ],
)
def test_an_archive_that_is_not_sound_is_refused_in_words(
    office: Client, pack: Pack, files: Mapping[str, bytes], words: str
) -> None:
    assert words in refused(office, pack(files).read_bytes())


def test_an_archive_that_unpacks_to_too_much_is_refused(
    office: Client, pack: Pack, settings: Settings
) -> None:
    settings.MAX_SET_BYTES = 100_000
    bomb = pack({"neutrophil/a.png": bytes(10_000_000)}).read_bytes()
    assert len(bomb) < settings.MAX_SET_BYTES
    assert refused(office, bomb) == "Unpacked, the archive is larger than is allowed."


def test_an_archive_beyond_the_limit_is_refused_at_the_door(
    office: Client, archive: bytes, settings: Settings
) -> None:
    settings.MAX_SET_BYTES = 10
    assert send(office, archive) == 422
    assert not SetUpload.objects.exists()


def test_a_set_without_licence_or_with_an_open_draft_is_refused_at_the_door(
    office: Client, archive: bytes, administrator: User
) -> None:
    assert send(office, archive, licence="") == 422
    open_set(name="north", kind=SetKind.GOLDEN, source="ours", actor=administrator)
    assert send(office, archive) == 422
    assert not SetUpload.objects.exists()


def test_a_process_that_dies_is_told_without_its_machine(
    office: Client, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_uploads, "CHECK_SECONDS", 0.0)
    assert refused(office, archive) == set_uploads.DIED
