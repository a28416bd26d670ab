"""Opening a case and following it in the browser; who may see which page."""

import re
from collections.abc import Callable
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, Priority, RunStatus
from classifier.models import Case, ClassificationRun, ModelVersion, Patient, SmearImage
from classifier.services.transitions import transition
from classifier.urls import urlpatterns
from tests.clinical import MakeImage
from tests.reviewing import MakeCase, read_image

SignIn = Callable[[User], Client]
ROLES = ("technician", "pathologist", "administrator", "consultant", "learner")


@pytest.fixture
def desk(technician: User, client_for: SignIn) -> Client:
    """A technician's browser."""
    return client_for(technician)


def typed_case(**changes: str) -> dict[str, str]:
    now = timezone.now()
    moment = "%Y-%m-%dT%H:%M"
    return {
        "priority": "stat",
        "ordering_clinician": "Dr Ada Okafor",
        "clinical_details": "Fever",
        "specimen_type": "edta_blood",
        "stain": "wright_giemsa",
        "condition": "satisfactory",
        "collected_at": (now - timedelta(hours=2)).strftime(moment),
        "received_at": (now - timedelta(hours=1)).strftime(moment),
        "wbc_count": "7.2",
        "wbc_measured_at": (now - timedelta(minutes=30)).strftime(moment),
    } | changes


def in_hours(hours: int) -> str:
    return (timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


def page_of(desk: Client, case: Case) -> str:
    response = desk.get(case.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


class TestOpening:
    def test_opens_a_case(self, desk: Client, patient: Patient) -> None:
        response = desk.post(reverse("classifier:case_new", args=[patient.pk]), typed_case())
        case = Case.objects.get()
        assert response["Location"] == case.get_absolute_url()
        assert (case.priority, str(case.wbc_count)) == (Priority.STAT, "7.20")
        assert case.specimen.stain == "wright_giemsa"

    def test_needs_no_wbc_count(self, desk: Client, patient: Patient) -> None:
        typed = typed_case(wbc_count="", wbc_measured_at="")
        desk.post(reverse("classifier:case_new", args=[patient.pk]), typed)
        assert Case.objects.get().wbc_count is None

    @pytest.mark.parametrize(
        ("changes", "form", "field"),
        [
            ({"collected_at": in_hours(1)}, "specimen_form", "collected_at"),
            ({"received_at": in_hours(1)}, "specimen_form", "received_at"),
            ({"received_at": in_hours(-3)}, "specimen_form", "received_at"),
            ({"received_at": ""}, "specimen_form", "received_at"),
            ({"stain": "ink"}, "specimen_form", "stain"),
            ({"priority": "soon"}, "order_form", "priority"),
            ({"wbc_count": "-1"}, "order_form", "wbc_count"),
            ({"wbc_count": "1001"}, "order_form", "wbc_count"),
            ({"wbc_count": ""}, "order_form", "wbc_count"),
            ({"wbc_measured_at": ""}, "order_form", "wbc_measured_at"),
            ({"wbc_measured_at": in_hours(1)}, "order_form", "wbc_measured_at"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, desk: Client, patient: Patient, changes: dict[str, str], form: str, field: str
    ) -> None:
        url = reverse("classifier:case_new", args=[patient.pk])
        response = desk.post(url, typed_case(**changes))
        assert response.status_code == 422
        assert list(response.context[form].errors) == [field]
        assert not Case.objects.exists()

    def test_shows_what_only_the_service_knows(self, desk: Client, patient: Patient) -> None:
        Patient.objects.filter(pk=patient.pk).update(birth_date=timezone.localdate())
        typed = typed_case(collected_at=in_hours(-48), received_at=in_hours(-47))
        response = desk.post(reverse("classifier:case_new", args=[patient.pk]), typed)
        assert "before the patient&#x27;s birth" in response.content.decode()


class TestPreparing:
    def test_cannot_be_submitted_without_an_image(self, desk: Client, case: Case) -> None:
        page = page_of(desk, case)
        assert "Upload at least one image" in page
        assert re.search(r'id="submit-case"[^>]*disabled', page)
        response = desk.post(reverse("classifier:case_submit", args=[case.pk]), follow=True)
        assert "Upload at least one image" in response.content.decode()
        case.refresh_from_db()
        assert case.status == CaseStatus.REGISTERED

    def test_is_submitted(
        self, desk: Client, case: Case, add_picture: MakeImage, active_model: ModelVersion
    ) -> None:
        add_picture(case)
        assert not re.search(r'id="submit-case"[^>]*disabled', page_of(desk, case))
        desk.post(reverse("classifier:case_submit", args=[case.pk]))
        case.refresh_from_db()
        assert case.status == CaseStatus.IN_CLASSIFICATION

    def test_reading_a_case_is_recorded(self, desk: Client, case: Case) -> None:
        page_of(desk, case)
        assert AuditEvent.objects.filter(action="patient.viewed").count() == 1

    def test_shows_why_it_was_returned(
        self, desk: Client, pathologist: User, classified_case: MakeCase
    ) -> None:
        case = classified_case(["neutrophil"], in_review=True)
        transition(
            case_id=case.pk, name="return_to_technician", actor=pathologist, reason="Too few cells"
        )
        page = page_of(desk, case)
        assert "Returned by the pathologist" in page
        assert "Too few cells" in page
        assert "Classified before" in page

    @pytest.mark.parametrize(
        ("name", "status"),
        [("reject", CaseStatus.REJECTED), ("cancel", CaseStatus.CANCELLED)],
    )
    def test_ends_with_a_reason(self, desk: Client, case: Case, name: str, status: str) -> None:
        url = reverse("classifier:case_reason", args=[case.pk, name])
        assert desk.get(url).status_code == 200
        assert desk.post(url, {"reason": "  "}).status_code == 200
        case.refresh_from_db()
        assert case.status == CaseStatus.REGISTERED
        desk.post(url, {"reason": "Clotted throughout"})
        case.refresh_from_db()
        assert (case.status, case.status_reason) == (status, "Clotted throughout")
        assert "Clotted throughout" in page_of(desk, case)

    def test_knows_no_other_reason_page(self, desk: Client, case: Case) -> None:
        url = reverse("classifier:case_reason", args=[case.pk, "sign_off"])
        assert desk.get(url).status_code == 404
        assert desk.post(url, {"reason": "x"}).status_code == 404

    def test_does_not_ask_for_the_reason_of_an_impossible_move(
        self, desk: Client, case: Case
    ) -> None:
        url = reverse("classifier:case_reason", args=[case.pk, "review_manually"])
        assert desk.get(url).status_code == 403
        assert "not possible now" in desk.post(url, {"reason": "x"}, follow=True).content.decode()


@pytest.fixture
def half_read_case(
    case: Case, add_picture: MakeImage, active_model: ModelVersion, technician: User
) -> Case:
    """A submitted case: one image read, one failed, one waiting."""
    read_image(add_picture(case), active_model, "lymphocyte")
    read_image(add_picture(case), active_model, "")
    ClassificationRun.objects.create(image=add_picture(case), model_version=active_model)
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.IN_CLASSIFICATION,
        submitted_by=technician,
        submitted_at=timezone.now(),
    )
    case.refresh_from_db()
    return case


class TestFollowing:
    def test_polls_in_the_background_while_unfinished(
        self, desk: Client, half_read_case: Case
    ) -> None:
        page = page_of(desk, half_read_case)
        assert 'hx-trigger="every 2s"' in page
        assert '"X-Background": "1"' in page
        assert "2 of 3 images done, 1 failed" in page
        assert "Lymphocyte" in page
        assert "fake 0.0.0" in page
        assert "The picture could not be read." in page

    def test_stops_polling_when_finished(self, desk: Client, classified_case: MakeCase) -> None:
        page = page_of(desk, classified_case(["neutrophil", "unidentified"]))
        assert "hx-trigger" not in page
        assert "Referred" in page

    def test_sends_the_fragment_only_when_something_happened(
        self, desk: Client, half_read_case: Case
    ) -> None:
        seen = re.search(r"seen=([\w-]+)", page_of(desk, half_read_case))
        assert seen
        url = reverse("classifier:case_status", args=[half_read_case.pk])
        assert desk.get(url, {"seen": seen[1]}).status_code == 204
        waiting = ClassificationRun.objects.filter(status=RunStatus.QUEUED)
        waiting.update(status=RunStatus.FAILED, error_message="Stopped.")
        fragment = desk.get(url, {"seen": seen[1]})
        assert "3 of 3 images done, 2 failed" in fragment.content.decode()
        assert "<html" not in fragment.content.decode()

    def test_offers_retry_and_manual_review_after_a_failure(
        self, desk: Client, half_read_case: Case, active_model: ModelVersion
    ) -> None:
        ClassificationRun.objects.filter(status=RunStatus.QUEUED).update(
            status=RunStatus.FAILED, error_message="Stopped."
        )
        Case.objects.update(status=CaseStatus.CLASSIFICATION_FAILED)
        page = page_of(desk, half_read_case)
        assert reverse("classifier:case_retry", args=[half_read_case.pk]) in page
        manual = reverse("classifier:case_reason", args=[half_read_case.pk, "review_manually"])
        assert manual in page
        desk.post(reverse("classifier:case_retry", args=[half_read_case.pk]))
        half_read_case.refresh_from_db()
        assert half_read_case.status == CaseStatus.IN_CLASSIFICATION
        assert ClassificationRun.objects.filter(status=RunStatus.QUEUED).count() == 2

    def test_goes_to_manual_review_with_a_reason(self, desk: Client, half_read_case: Case) -> None:
        Case.objects.update(status=CaseStatus.CLASSIFICATION_FAILED)
        url = reverse("classifier:case_reason", args=[half_read_case.pk, "review_manually"])
        desk.post(url, {"reason": "Camera artefacts"})
        half_read_case.refresh_from_db()
        assert half_read_case.status == CaseStatus.AWAITING_REVIEW

    def test_tells_the_history_of_the_case(self, desk: Client, case: Case) -> None:
        transition(
            case_id=case.pk, name="cancel", actor=User.objects.get(pk=case.registered_by_id),
            reason="Wrong patient",
        )  # fmt: skip
        page = page_of(desk, case)
        assert page.index("Case cancelled") < page.index("Case registered")
        assert "Wrong patient" in page

    def test_asks_the_database_as_often_for_many_images_as_for_few(
        self,
        desk: Client,
        classified_case: MakeCase,
        django_assert_max_num_queries: Callable,
    ) -> None:
        case = classified_case(["neutrophil"] * 12)
        page_of(desk, case)
        with django_assert_max_num_queries(14):
            page_of(desk, case)


class TestLabel:
    def test_the_label_names_patient_and_case(self, desk: Client, case: Case) -> None:
        page = desk.get(reverse("classifier:case_label", args=[case.pk])).content.decode()
        for text in ("DOE, Jane", "1980-01-01", "MRN00123", case.accession_number):
            assert text in page

    def test_the_symbol_is_code_128_with_quiet_zones(self, desk: Client, case: Case) -> None:
        response = desk.get(reverse("classifier:case_barcode", args=[case.pk]))
        assert response["Content-Type"] == "image/svg+xml"
        symbol = ElementTree.fromstring(response.content)
        width = int(symbol.attrib["viewBox"].split()[2])
        bars = [(int(bar.attrib["x"]), int(bar.attrib["width"])) for bar in symbol]
        # Every Code 128 character is 11 modules wide with three bars; the stop has 13 and four.
        characters, rest = divmod(width - 20 - 13, 11)
        assert rest == 0
        assert len(bars) == 3 * characters + 4
        assert bars[0][0] == 10
        assert bars[-1][0] + bars[-1][1] == width - 10


# Page, method, and the roles that get past the door; others get 403, or 404 where it says so.
STAFF = {"technician", "pathologist", "administrator"}
MATRIX = [
    ("search", "post", None, STAFF),
    ("patients", "get", None, STAFF),
    ("patients", "post", None, STAFF),
    ("patient_register", "get", None, {"technician"}),
    ("patient_register", "post", None, {"technician"}),
    ("patient_detail", "get", "patient", STAFF),
    ("case_new", "get", "patient", {"technician"}),
    ("case_new", "post", "patient", {"technician"}),
    ("case_detail", "get", "case", STAFF),
    ("case_status", "get", "case", STAFF),
    ("case_images", "get", "case", STAFF),
    ("case_label", "get", "case", {"technician"}),
    ("case_barcode", "get", "case", {"technician"}),
    ("case_submit", "post", "case", {"technician"}),
    ("case_retry", "post", "case", {"technician"}),
    ("case_images_add", "post", "case", {"technician"}),
    ("case_images_upload", "post", "case", {"technician"}),
    ("image", "get", "image", STAFF),
    ("thumbnail", "get", "image", STAFF),
    ("image_kind", "post", "image", {"technician"}),
    ("image_remove", "post", "image", {"technician"}),
]


def test_no_page_is_missing_from_the_list() -> None:
    listed = {row[0] for row in MATRIX} | {"case_reason"}
    named = {str(pattern.name) for pattern in urlpatterns}
    assert {name for name in named if not name.startswith(("review", "worklist"))} == listed


@pytest.mark.parametrize(
    ("name", "admitted"),
    [("reject", {"technician"}), ("cancel", {"technician"})],
)
@pytest.mark.parametrize("role", ROLES)
def test_asks_for_a_reason_only_those_who_may_act(
    request: pytest.FixtureRequest,
    client_for: SignIn,
    case: Case,
    name: str,
    admitted: set[str],
    role: str,
) -> None:
    client = client_for(request.getfixturevalue(role))
    url = reverse("classifier:case_reason", args=[case.pk, name])
    assert client.get(url).status_code == (200 if role in admitted else 403)
    if role not in admitted:
        assert client.post(url, {"reason": "Because"}).status_code == 403
        case.refresh_from_db()
        assert case.status == CaseStatus.REGISTERED


@pytest.fixture
def things(case: Case, add_picture: MakeImage) -> dict[str, Patient | Case | SmearImage]:
    return {"patient": case.patient, "case": case, "image": add_picture(case)}


def url_of(name: str, thing: str | None, things: dict[str, Patient | Case | SmearImage]) -> str:
    return reverse(f"classifier:{name}", args=[things[thing].pk] if thing else [])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("name", "method", "thing", "admitted"), MATRIX)
def test_each_page_admits_only_its_roles(
    request: pytest.FixtureRequest,
    client_for: SignIn,
    things: dict[str, Patient | Case | SmearImage],
    name: str,
    method: str,
    thing: str | None,
    admitted: set[str],
    role: str,
) -> None:
    client = client_for(request.getfixturevalue(role))
    response = getattr(client, method)(url_of(name, thing, things))
    response.getvalue()  # read to its end, a file is closed
    if role in admitted:
        assert response.status_code in {200, 302, 400, 422}
    else:
        assert response.status_code == 403
        things["case"].refresh_from_db()
        assert SmearImage.objects.count() == 1


@pytest.mark.parametrize(("name", "method", "thing", "admitted"), MATRIX)
def test_each_page_sends_strangers_to_the_log_in(
    client: Client,
    things: dict[str, Patient | Case | SmearImage],
    name: str,
    method: str,
    thing: str | None,
    admitted: set[str],
) -> None:
    response = getattr(client, method)(url_of(name, thing, things))
    if name == "case_images_upload":
        assert response.status_code == 403
    else:
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("role", "offered"), [("technician", True), ("administrator", False), ("pathologist", False)]
)
def test_buttons_are_offered_to_those_who_may_use_them(
    request: pytest.FixtureRequest, client_for: SignIn, case: Case, role: str, *, offered: bool
) -> None:
    page = page_of(client_for(request.getfixturevalue(role)), case)
    assert (reverse("classifier:case_submit", args=[case.pk]) in page) is offered
    assert (reverse("classifier:case_images_add", args=[case.pk]) in page) is offered
