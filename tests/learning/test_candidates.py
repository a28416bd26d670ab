"""Candidates: unpacked safely, tried in a process of their own, kept by hash, read nothing."""

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEvent, User
from classifier import inference, model_store
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import ModelVersion
from learning.enums import Origin, UploadStatus
from learning.models import CandidateUpload, ModelRelease
from learning.services.releases import ReleaseRefused, register_candidate
from learning.services.uploads import check_uploads
from ml.artifacts import FOUR_CLASS_RELEASE, read_spec
from ml.errors import ArtifactError, NotAtHand
from ml.fingerprints import digest_of, manifest_of
from ml.unpacking import REQUIRED, unpack
from tests.browsing import SignIn
from tests.learning.conftest import Pack

SMALL = dict.fromkeys(REQUIRED, b"x")


class TestUnpacking:
    @pytest.mark.parametrize(
        "name", ["../spec.json", "/etc/spec.json", "a/b/spec.json", "a\\spec.json", "run.py"]
    )
    def test_names_that_lead_out_or_are_strange_are_refused(
        self, name: str, pack: Pack, tmp_path: Path
    ) -> None:
        with pytest.raises(ArtifactError, match="does not belong to a release"):
            unpack(pack({**SMALL, name: b"x"}), tmp_path / "out", most_bytes=1000)
        assert not (tmp_path / "spec.json").exists()

    def test_links_are_refused(self, tar_with_link: Path, tmp_path: Path) -> None:
        with pytest.raises(ArtifactError, match="no plain file"):
            unpack(tar_with_link, tmp_path / "out", most_bytes=1000)

    def test_a_bomb_stops_at_the_limit(self, pack: Pack, tmp_path: Path) -> None:
        bomb = pack({**SMALL, "model.weights.h5": bytes(4_000_000)})
        with pytest.raises(ArtifactError, match="larger than is allowed"):
            unpack(bomb, tmp_path / "out", most_bytes=1_000_000)
        assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1_000_000

    def test_doubled_and_missing_files_are_refused(self, pack: Pack, tmp_path: Path) -> None:
        with pytest.raises(ArtifactError, match="twice"):
            unpack(pack({**SMALL, "a/spec.json": b"y"}), tmp_path / "one", most_bytes=1000)
        with pytest.raises(ArtifactError, match="lacks"):
            unpack(pack({"spec.json": b"{}"}), tmp_path / "two", most_bytes=1000)

    def test_what_is_no_archive_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("no archive")
        with pytest.raises(ArtifactError, match="neither a zip nor a tar"):
            unpack(path, tmp_path / "out", most_bytes=1000)

    def test_the_shipped_release_survives_the_way(
        self, four_class_zip: Path, tmp_path: Path
    ) -> None:
        folder = unpack(four_class_zip, tmp_path / "out", most_bytes=100_000_000)
        assert manifest_of(folder) == manifest_of(FOUR_CLASS_RELEASE)


@pytest.mark.django_db
class TestRegistering:
    def test_a_sound_release_becomes_a_candidate_that_workers_find_by_hash(
        self, four_class_zip: Path, administrator: User
    ) -> None:
        version = register_candidate(
            four_class_zip, origin=Origin.UPLOADED, actor=administrator, note="trial"
        )
        digest = digest_of(manifest_of(FOUR_CLASS_RELEASE))
        assert (version.is_active, version.approved_by) == (False, None)
        assert version.release_sha256 == version.release.digest == digest
        assert version.release.probe["cells"] == 8
        classifier = inference.get_classifier_of(version)
        assert (classifier.name, classifier.sha256) == (version.name, version.sha256)
        assert inference.get_explainer_of(version).model[0] == version.name
        again = register_candidate(four_class_zip, origin=Origin.COMMAND, actor=administrator)
        assert again == version
        assert ModelRelease.objects.get().origin == Origin.UPLOADED

    def test_the_same_name_with_other_files_is_refused(
        self, four_class_zip: Path, administrator: User, tmp_path: Path
    ) -> None:
        register_candidate(four_class_zip, origin=Origin.UPLOADED, actor=administrator)
        other = Path(shutil.copytree(FOUR_CLASS_RELEASE, tmp_path / "other"))
        (other / "CARD.md").write_text("another card")
        with pytest.raises(DomainError, match="needs a new version"):
            register_candidate(other, origin=Origin.COMMAND, actor=administrator)

    def test_forged_weights_are_refused_without_a_path_of_this_machine(
        self, administrator: User, tmp_path: Path
    ) -> None:
        forged = Path(shutil.copytree(FOUR_CLASS_RELEASE, tmp_path / "forged"))
        with (forged / "model.weights.h5").open("ab") as weights:
            weights.write(b"!")
        with pytest.raises(ReleaseRefused, match="is not the released model") as refusal:
            register_candidate(forged, origin=Origin.COMMAND, actor=administrator)
        assert "/" not in str(refusal.value)
        assert not ModelVersion.objects.exists()

    def test_only_who_manages_models_may(self, pathologist: User, four_class_zip: Path) -> None:
        with pytest.raises(NotPermitted):
            register_candidate(four_class_zip, origin=Origin.UPLOADED, actor=pathologist)

    def test_a_copy_that_was_tampered_with_is_not_loaded(
        self, administrator: User, settings: Settings
    ) -> None:
        version = register_candidate(FOUR_CLASS_RELEASE, origin=Origin.COMMAND, actor=administrator)
        copy = model_store.fetch(version.release_sha256)
        (copy / "spec.json").write_text("{}")
        with pytest.raises(ArtifactError, match="not the file that was registered"):
            model_store.fetch(version.release_sha256)

    def test_a_version_that_is_nowhere_is_said_to_be(self, administrator: User) -> None:
        spec = read_spec(FOUR_CLASS_RELEASE)
        lost = ModelVersion.objects.create(
            name="lost", version="1", sha256=spec.sha256, class_names=[], approved_by=administrator
        )
        with pytest.raises(NotAtHand):
            inference.get_classifier_of(lost)

    def test_the_command_registers_a_folder_and_keeps_the_installed_release(
        self, settings: Settings
    ) -> None:
        out = StringIO()
        settings.MODEL_RELEASE = FOUR_CLASS_RELEASE
        call_command("register_model", stdout=out)
        version = ModelVersion.objects.get()
        assert version.is_active
        assert version.release.origin == Origin.INSTALLED
        call_command("register_model", str(FOUR_CLASS_RELEASE), stdout=out)
        assert ModelVersion.objects.count() == 1
        assert "is active" in out.getvalue()


@pytest.mark.django_db
class TestUploading:
    def _upload(self, client_for: SignIn, person: User, data: bytes, status: int = 302) -> None:
        archive = SimpleUploadedFile("cells4.zip", data)
        address = reverse("learning:upload")
        page = client_for(person).post(
            address,
            {"upload_id": "6b0cbe93-9d21-4f0c-8a70-0d2cf8b1a001", "archive": archive, "note": "n"},
        )
        assert page.status_code == status

    def test_an_upload_is_accepted_once_a_worker_tried_it(
        self, client_for: SignIn, administrator: User, four_class_zip: Path
    ) -> None:
        for _ in range(2):
            self._upload(client_for, administrator, four_class_zip.read_bytes())
        upload = CandidateUpload.objects.get()
        assert upload.status == UploadStatus.CHECKING
        assert not ModelVersion.objects.exists()
        check_uploads()
        upload.refresh_from_db()
        assert upload.status == UploadStatus.ACCEPTED
        assert upload.version == ModelVersion.objects.get()
        assert not upload.file.storage.exists(f"model-uploads/{upload.pk}")
        page = client_for(administrator).get(reverse("learning:model", args=[upload.version_id]))
        assert b"Model card: cells4-mobilenetv2" in page.content

    def test_what_is_no_release_is_refused_in_words(
        self, client_for: SignIn, administrator: User
    ) -> None:
        self._upload(client_for, administrator, b"no archive at all")
        check_uploads()
        upload = CandidateUpload.objects.get()
        assert upload.status == UploadStatus.REFUSED
        assert upload.message == "The file is neither a zip nor a tar archive."
        assert AuditEvent.objects.filter(action="model.upload_refused").count() == 1
        page = client_for(administrator).get(reverse("learning:models"))
        assert upload.message in page.content.decode()

    def test_an_archive_beyond_the_limit_is_refused_at_the_door(
        self, client_for: SignIn, administrator: User, settings: Settings
    ) -> None:
        settings.MAX_RELEASE_BYTES = 10
        self._upload(client_for, administrator, b"more than ten bytes", status=422)
        assert not CandidateUpload.objects.exists()
