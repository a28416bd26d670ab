"""DICOM files as pictures of a case: taken, compared with the patient, stripped, or refused."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pydicom
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from accounts.models import AuditEvent, User
from classifier.exceptions import ImageRefused
from classifier.models import Case, SmearImage
from classifier.services.images import add_image
from classifier.stated_patients import differences
from ml.dicom import LOSSY_NOTE, StatedPatient
from ml.preprocessing import decode_image
from reports.dicom.documents import study_of, subject_of
from reports.dicom.fields import Picture, render_field
from reports.services.dicom import export_image
from tests.clinical import JANE
from tests.reports.contents import RECEIVED, make_content
from tests.reports.test_dicom import IMAGE

Change = Callable[[pydicom.Dataset], object]
SIZE = (40, 36, 3)


def pixels() -> np.ndarray:
    return np.random.default_rng(6).integers(0, 255, SIZE, dtype=np.uint8)


def file_of(change: Change | None = None) -> bytes:
    """Return a DICOM picture of Jane Doe, of a 100x lens, 0.1 µm a pixel, with a change."""
    content = make_content()
    subject = replace(
        subject_of(content), mrn=JANE.mrn, family_name="Doe", given_name="Jane",
        birth_date=JANE.birth_date, sex="female",
    )  # fmt: skip
    picture = Picture(IMAGE, 1, "field", RECEIVED, "Blood", "Giemsa", 0.1, 100.0)
    data = render_field(picture, pixels(), subject, study_of(content))
    if change is None:
        return data
    found = pydicom.dcmread(io.BytesIO(data))
    change(found)
    buffer = io.BytesIO()
    found.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def setting(**values: object) -> Change:
    """Return a change that sets attributes of the file."""

    def change(found: pydicom.Dataset) -> None:
        for name, value in values.items():
            setattr(found, name, value)

    return change


@pytest.fixture
def add(case: Case, technician: User) -> Callable[[bytes], SmearImage]:
    """Add a file to the case of Jane Doe."""
    return lambda data: add_image(
        case_id=case.pk, actor=technician, data=data, file_name="field.dcm", kind="field"
    )


Add = Callable[[bytes], SmearImage]


def stored(image: SmearImage) -> np.ndarray:
    with image.file.open("rb") as master:
        return decode_image(master.read()).pixels


class TestTaken:
    def test_pixels_scale_and_lens_are_kept(self, add: Add) -> None:
        image = add(file_of())

        assert np.array_equal(stored(image), pixels())
        assert (image.original_format, image.width, image.height) == ("DICOM", 36, 40)
        assert image.microns_per_pixel == pytest.approx(0.1)
        assert image.objective_power == 100

    def test_nothing_else_of_the_file_is(self, add: Add) -> None:
        image = add(file_of(setting(ImageComments="Seen by Xaveria", InstitutionName="Elsewhere")))

        with image.file.open("rb") as master:
            assert Image.open(master).info == {}
            master.seek(0)
            assert b"Xaveria" not in master.read()
        row = SmearImage.objects.filter(pk=image.pk).values().get()
        assert "Xaveria" not in str(row)
        assert "Elsewhere" not in str(row)
        assert image.notes == []

    @pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
    def test_lossless_compression_gives_the_same_pixels(self, add: Add, syntax: str) -> None:
        def compress(found: pydicom.Dataset) -> None:
            if syntax == RLELossless:
                found.compress(RLELossless, generate_instance_uid=False)
            else:
                buffer = io.BytesIO()
                Image.fromarray(pixels()).save(buffer, format="JPEG2000", no_jp2=True, mct=0)
                found.PixelData = encapsulate([buffer.getvalue()])
                found["PixelData"].is_undefined_length = True
                found.file_meta.TransferSyntaxUID = JPEG2000Lossless

        assert np.array_equal(stored(add(file_of(compress))), pixels())

    def test_a_jpeg_in_it_is_read_and_stays_known_as_lossy(
        self, add: Add, technician: User
    ) -> None:
        flat = np.full(SIZE, (200, 150, 180), dtype=np.uint8)

        def compress(found: pydicom.Dataset) -> None:
            buffer = io.BytesIO()
            Image.fromarray(flat).save(buffer, format="JPEG", quality=95)
            found.PixelData = encapsulate([buffer.getvalue()])
            found["PixelData"].is_undefined_length = True
            found.PhotometricInterpretation = "YBR_FULL_422"
            found.LossyImageCompression = "01"
            found.file_meta.TransferSyntaxUID = JPEGBaseline8Bit

        image = add(file_of(compress))

        assert np.abs(stored(image).astype(int) - flat).max() <= 4
        assert image.notes == [LOSSY_NOTE]
        again = pydicom.dcmread(io.BytesIO(export_image(image, actor=technician)))
        assert again.LossyImageCompression == "01"

    def test_what_was_exported_comes_back_the_same(self, add: Add, technician: User) -> None:
        image = add(file_of())
        exported = export_image(image, actor=technician)
        SmearImage.objects.get(pk=image.pk)

        found = pydicom.dcmread(io.BytesIO(exported))

        assert np.array_equal(found.pixel_array, pixels())
        assert float(found.PixelSpacing[0]) == pytest.approx(0.0001)
        assert found.OpticalPathSequence[0].ObjectiveLensPower == 100

    @pytest.mark.parametrize(
        "change",
        [
            setting(PixelSpacing=["0.0001", "0.0002"]),
            setting(PixelSpacing=["0.2", "0.2"]),
            setting(PixelSpacing=["0", "0"]),
            lambda found: found.__delattr__("PixelSpacing"),
        ],
    )
    def test_a_scale_that_is_none_of_a_microscope_is_left_out(
        self, add: Add, change: Change
    ) -> None:
        assert add(file_of(change)).microns_per_pixel is None

    def test_a_file_that_names_nobody_is_taken(self, add: Add) -> None:
        assert add(file_of(setting(PatientID="", PatientName="", PatientBirthDate="")))


class TestOtherPatient:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"PatientID": "MRN00999"}, "medical record number"),
            ({"PatientName": "Bloggs^Jane"}, "family name"),
            ({"PatientName": "Doe^Joan"}, "given name"),
            ({"PatientBirthDate": "19800102"}, "date of birth"),
            (
                {"PatientID": "MRN00999", "PatientBirthDate": "19800102"},
                "medical record number and date of birth",
            ),
        ],
    )
    def test_is_refused_and_recorded_without_naming_anybody(
        self, add: Add, case: Case, values: dict[str, str], words: str
    ) -> None:
        with pytest.raises(ImageRefused, match=f"its {words} is not that of this case") as refusal:
            add(file_of(setting(**values)))

        assert refusal.value.code == "wrong_patient"
        assert not case.images.exists()
        event = AuditEvent.objects.get(action="image.refused")
        assert event.after == {"code": "wrong_patient", "differing": words.split(" and ")}
        assert event.patient_id == case.patient_id
        assert not any(value in str(refusal.value) for value in values.values())

    @pytest.mark.parametrize(
        "stated",
        [
            StatedPatient("mrn00123 ", "DOE", "JANE ALICE", None),
            StatedPatient("", "Dóe", "", date(1980, 1, 1)),
            StatedPatient("", "", "", None),
        ],
    )
    def test_another_way_of_writing_is_no_other_patient(
        self, case: Case, stated: StatedPatient
    ) -> None:
        assert differences(stated, case.patient) == []


class TestRefused:
    @pytest.mark.parametrize(
        ("change", "code", "words"),
        [
            (setting(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.6"), "slide", "as a slide"),
            (setting(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), "unsupported_format", "CT Image"),
            (setting(SOPClassUID="1.2.3"), "unsupported_format", "no picture of a smear"),
            (setting(NumberOfFrames=2), "animated", "2 frames"),
            (
                setting(PhotometricInterpretation="MONOCHROME2", SamplesPerPixel=1),
                "no_colour",
                "has no colour",
            ),
            (setting(BitsAllocated=16, BitsStored=12), "unsupported_format", "8 bits"),
            (setting(Rows=60000, Columns=60000), "too_many_pixels", "50 million"),
            (setting(Rows=8), "too_small", "at least 24"),
            (setting(BurnedInAnnotation="YES"), "burned_in", "burned into"),
            (setting(Rows=80), "truncated", "damaged"),
            (lambda found: found.__delattr__("Columns"), "truncated", "damaged"),
            (lambda found: found.__delattr__("PixelData"), "truncated", "damaged"),
        ],
    )
    def test_with_words_that_help(
        self, add: Add, case: Case, change: Change, code: str, words: str
    ) -> None:
        data = file_of(change)

        with pytest.raises(ImageRefused, match=words) as refusal:
            add(data)

        assert refusal.value.code == code
        assert not case.images.exists()

    @pytest.mark.parametrize("length", [132, 140, 300, 900, 2000])
    def test_if_it_is_cut_off(self, add: Add, length: int) -> None:
        with pytest.raises(ImageRefused, match="damaged"):
            add(file_of()[:length])

    def test_if_it_would_have_to_be_inflated(self, add: Add) -> None:
        data = file_of().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"[:20])
        with pytest.raises(ImageRefused, match="Deflated"):
            add(data + b"1.2.840.10008.1.2.1.99")

    def test_if_nothing_here_reads_its_compression(self, add: Add) -> None:
        def compress(found: pydicom.Dataset) -> None:
            found.PixelData = encapsulate([b"\xff\xd8\xff\xf7 not read"])
            found["PixelData"].is_undefined_length = True
            found.file_meta.TransferSyntaxUID = JPEGLSLossless

        with pytest.raises(ImageRefused, match="JPEG-LS"):
            add(file_of(compress))

    @pytest.mark.parametrize("seed", range(25))
    def test_or_taken_whatever_bytes_are_damaged(self, add: Add, case: Case, seed: int) -> None:
        data = bytearray(file_of())
        random = np.random.default_rng(seed)
        for place in random.integers(132, 1600, 6):
            data[place] = random.integers(256)

        said = ""
        try:
            add(bytes(data))
        except ImageRefused as refusal:
            said = str(refusal)

        kept = [stored(image).shape == SIZE for image in case.images.all()]
        assert kept == ([] if said else [True])
        assert said == "" or said.endswith(".")


def test_goes_the_way_of_every_upload(
    case: Case, technician: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(technician)
    address = reverse("classifier:case_images_upload", args=[case.pk])

    def send(data: bytes) -> tuple[int, dict[str, object]]:
        answer = client.post(address, {"file": SimpleUploadedFile("f.dcm", data)})
        return answer.status_code, json.loads(answer.content)

    wrong_status, wrong = send(file_of(setting(PatientID="MRN00999")))
    status, described = send(file_of())

    assert (wrong_status, wrong["code"]) == (422, "wrong_patient")
    assert (status, described["width"]) == (201, 36)
