"""Pictures and signed reports as DICOM."""

import io
import shutil
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import AuditEvent, User
from classifier.models import Case
from classifier.services import reviews
from classifier.services.images import add_image
from ml.preprocessing import decode_image
from reports.content import Amendment, ReportContent
from reports.dicom.documents import CREATOR, GROUP, Document, render_document, study_of, subject_of
from reports.dicom.fields import Picture, render_field
from tests.clinical import picture_bytes
from tests.reports.conftest import Sign
from tests.reports.contents import RECEIVED, make_content, make_signature

ClientFor = Callable[[User], Client]
IMAGE, REPORT = uuid.UUID(int=7), uuid.UUID(int=8)
PDF = b"%PDF-1.7 of an odd length"
needs_validator = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed"
)


def pixels() -> np.ndarray:
    """Return a picture of an odd number of bytes."""
    return np.random.default_rng(5).integers(0, 255, (33, 31, 3), dtype=np.uint8)


def picture(**changed: object) -> Picture:
    known = Picture(
        IMAGE, 3, "field", RECEIVED, "Venous blood, EDTA", "May-Grünwald-Giemsa", 0.1, 100.0
    )
    return replace(known, **changed)  # type: ignore[arg-type]


def signed(**changed: object) -> ReportContent:
    return make_content(**changed).signed(make_signature())


def field(**changed: object) -> bytes:
    content = signed()
    return render_field(picture(**changed), pixels(), subject_of(content), study_of(content))


def document(content: ReportContent | None = None, supersedes: uuid.UUID | None = None) -> bytes:
    return render_document(Document(REPORT, PDF, "a" * 64, supersedes), content or signed())


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


class TestField:
    def test_gives_back_every_pixel(self) -> None:
        assert np.array_equal(read(field()).pixel_array, pixels())

    def test_states_patient_study_and_specimen(self) -> None:
        found = read(field())

        assert (found.PatientName.family_name, found.PatientName.given_name) == ("Varga", "István")
        assert (found.PatientID, found.IssuerOfPatientID) == ("DEMO-1002", "HVDEMO")
        assert (found.PatientBirthDate, found.PatientSex) == ("19570614", "M")
        assert found.AccessionNumber == found.ContainerIdentifier == "HV26-000002W"
        assert found.SpecificCharacterSet == "ISO_IR 192"
        (blood,) = found.SpecimenDescriptionSequence
        (step,) = blood.SpecimenPreparationSequence
        said = [item.get("TextValue") for item in step.SpecimenPreparationStepContentItemSequence]
        assert said == ["HV26-000002W", None, "May-Grünwald-Giemsa"]

    def test_states_the_optics_where_known_and_nothing_where_not(self) -> None:
        known, unknown = read(field()), read(field(microns_per_pixel=None, objective=None))

        assert [float(side) for side in known.PixelSpacing] == [0.0001, 0.0001]
        assert known.OpticalPathSequence[0].ObjectiveLensPower == 100
        assert "PixelSpacing" not in unknown
        assert "ObjectiveLensPower" not in unknown.OpticalPathSequence[0]

    def test_says_if_the_picture_came_compressed_with_loss(self) -> None:
        found = read(field(jpeg_bytes=341))

        assert (found.LossyImageCompression, found.LossyImageCompressionMethod) == (
            "01",
            "ISO_10918_1",
        )
        assert found.LossyImageCompressionRatio == 9
        assert read(field()).LossyImageCompression == "00"

    def test_the_same_picture_always_gives_the_same_bytes_and_uids(self) -> None:
        assert field() == field()
        assert read(field()).SOPInstanceUID == f"2.25.{IMAGE.int}"

    @pytest.mark.parametrize("name", ["O^Neill", "A=B", "back\\slash", "Ünïcode " * 20])
    def test_signs_with_a_meaning_of_their_own_do_no_harm(self, name: str) -> None:
        content = signed()
        subject = replace(subject_of(content), family_name=name, given_name="Eve")

        found = read(render_field(picture(), pixels(), subject, study_of(content)))

        assert found.PatientName.given_name == "Eve"
        assert found.PatientName.family_name[:1] == name[:1]


class TestDocument:
    def test_holds_the_signed_pdf_byte_for_byte(self) -> None:
        found = read(document())

        assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == PDF
        assert found.DocumentTitle == "Blood smear report HV26-000002W, version 1"
        block = found.private_block(GROUP, CREATOR)
        assert (block[0x01].value, block[0x02].value) == ("a" * 64, signed().content_sha256)
        assert found.VerificationFlag == "VERIFIED"

    def test_a_correction_points_at_the_version_before(self) -> None:
        amendment = Amendment(1, "a" * 64, RECEIVED, "Misread.", ())
        before = uuid.UUID(int=9)

        first = read(document())
        second = read(document(signed(version=2, amendment=amendment), before))

        (study,) = second.PredecessorDocumentsSequence
        (group,) = study.ReferencedSeriesSequence
        assert group.SeriesInstanceUID == first.SeriesInstanceUID == second.SeriesInstanceUID
        assert group.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == f"2.25.{before.int}"
        assert "PredecessorDocumentsSequence" not in first
        assert second.InstanceNumber == 2

    def test_belongs_to_the_study_of_the_pictures(self) -> None:
        assert read(document()).StudyInstanceUID == read(field()).StudyInstanceUID
        assert read(document()).SeriesInstanceUID != read(field()).SeriesInstanceUID


@needs_validator
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(field, id="field"),
        pytest.param(lambda: field(microns_per_pixel=None, objective=None), id="bare field"),
        pytest.param(lambda: field(jpeg_bytes=341), id="field from a JPEG"),
        pytest.param(document, id="report"),
        pytest.param(lambda: document(supersedes=IMAGE), id="corrected report"),
    ],
)
def test_a_public_validator_finds_no_error(data: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "object.dcm"
    path.write_bytes(data())

    found = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)

    assert "Error" not in found.stdout + found.stderr
    assert found.returncode == 0


class TestDownload:
    def test_a_picture_comes_as_stored_and_is_recorded(
        self, case: Case, technician: User, pathologist: User, client_for: ClientFor
    ) -> None:
        image = add_image(
            case_id=case.pk, actor=technician, data=picture_bytes(3), file_name="a.png"
        )

        answer = client_for(pathologist).get(reverse("reports:image_dicom", args=[image.pk]))

        found = read(answer.content)
        with image.file.open("rb") as master:
            assert np.array_equal(found.pixel_array, decode_image(master.read()).pixels)
        assert found.PatientID == case.patient.mrn
        assert f'{case.accession_number}-1.dcm"' in answer["Content-Disposition"]
        event = AuditEvent.objects.get(action="image.exported")
        assert (event.actor, event.patient_id) == (pathologist, case.patient_id)

    def test_a_picture_is_closed_to_others(
        self, case: Case, technician: User, learner: User, client_for: ClientFor
    ) -> None:
        image = add_image(
            case_id=case.pk, actor=technician, data=picture_bytes(3), file_name="a.png"
        )
        address = reverse("reports:image_dicom", args=[image.pk])

        assert client_for(learner).get(address).status_code == 403
        unknown = reverse("reports:image_dicom", args=[uuid.uuid4()])
        assert client_for(technician).get(unknown).status_code == 404
        image.file.storage.delete(str(image.file.name))
        assert client_for(technician).get(address).status_code == 409

    def test_a_corrected_report_comes_with_its_pdf_and_its_predecessor(
        self,
        ready_case: Case,
        sign: Sign,
        correct: Callable[..., object],
        pathologist: User,
        client_for: ClientFor,
    ) -> None:
        first = sign(ready_case)
        reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Misread.")
        correct(ready_case, [0], "plasma_cell")
        second = sign(ready_case)

        answer = client_for(pathologist).get(reverse("reports:report_dicom", args=[second.pk]))

        found = read(answer.content)
        with second.pdf.open("rb") as file:
            pdf = found.EncapsulatedDocument[: found.EncapsulatedDocumentLength]
            assert pdf == file.read()
        (study,) = found.PredecessorDocumentsSequence
        (instance,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
        assert instance.ReferencedSOPInstanceUID == f"2.25.{first.pk.int}"
        event = AuditEvent.objects.get(action="report.downloaded")
        assert event.after == {"form": "dicom", "version": 2}


def test_the_time_of_a_file_is_utc_and_says_so() -> None:
    found = read(field(taken_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)))

    assert (found.ContentDate, found.ContentTime) == ("20260304", "050607")
    assert found.TimezoneOffsetFromUTC == "+0000"


def test_pictures_are_stored_as_pixels_alone() -> None:
    found = read(field())

    assert found.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert Image.fromarray(found.pixel_array).info == {}
