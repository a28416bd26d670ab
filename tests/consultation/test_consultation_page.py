"""The page of a consultation: what it shows, and what is written on it."""

import json
import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import Case, Cell
from consultation.models import CaseComment, Opinion, Referral
from tests.consultation.conftest import Answer, ClientFor, Refer, addresses
from tests.fields import whites_of


def test_nothing_of_the_identity_stands_in_what_is_sent(
    open_case: Case, refer: Refer, answer: Answer, told: CaseComment, outside: Client
) -> None:
    Case.objects.filter(pk=open_case.pk).update(
        clinical_details="Fatigue for weeks.", ordering_clinician="Dr Zhivago"
    )
    open_case.refresh_from_db()
    referral = refer(open_case)
    answer(referral)
    names = list(open_case.images.values_list("original_name", flat=True))
    patient = open_case.patient
    secrets = [
        patient.family_name, patient.given_name, patient.mrn, patient.mrn_issuer, str(patient.pk),
        "1980-01-01", "1 Jan 1980", open_case.accession_number, str(open_case.pk),
        "Fatigue", "Zhivago", "Not for her", *names, *(name.split(".")[0] for name in names),
    ]  # fmt: skip
    for address in ("/consultations/", *addresses(referral).values()):
        response = outside.get(address)
        sent = response.content + json.dumps(dict(response.headers)).encode()
        for secret in secrets:
            assert secret.encode() not in sent, (secret, address)


def test_age_and_sex_are_shown(referral: Referral, outside: Client) -> None:
    response = outside.get(addresses(referral)["page"])
    page = response.content.decode()
    assert f"{response.context['seen'].age_years} years" in page
    assert "Female" in page
    assert "Identity not shown" in page


def test_details_and_identity_are_shown_where_the_referrer_said_so(
    open_case: Case, refer: Refer, outside: Client
) -> None:
    Case.objects.filter(pk=open_case.pk).update(clinical_details="Fatigue.")
    open_case.refresh_from_db()
    referral = refer(open_case, shows_identity=True, shows_clinical_details=True)
    page = outside.get(addresses(referral)["page"]).content.decode()
    for word in ("Doe, Jane", "MRN00123", "1 Jan 1980", open_case.accession_number, "Fatigue."):
        assert word in page


def test_names_and_questions_are_never_markup(
    open_case: Case, refer: Refer, consultant: User, client_for: ClientFor
) -> None:
    evil = "<script>alert(1)</script>"
    User.objects.filter(pk=consultant.pk).update(full_name=f"Eve {evil}", title='"><b>')
    consultant.refresh_from_db()
    referral = refer(open_case, question=f"What {evil} & why?")
    address = addresses(referral)["page"]
    client = client_for(consultant)
    send = {"opinion_id": str(uuid.uuid4()), "text": evil, "diagnosis": "<img src=x onerror=1>"}
    client.post(f"{address}opinion/", send)
    page = client.get(address).content.decode()
    assert evil not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_field_is_shown_with_its_boxes_and_without_its_name(
    field_case: Case, refer: Refer, outside: Client
) -> None:
    referral = refer(field_case)
    page = outside.get(reverse("consultation:consultation", args=[referral.pk])).content.decode()
    assert "Field 1" in page
    assert "field-1.png" not in page
    assert page.count('class="seen-box"') == len(whites_of(field_case))


def test_the_page_saves_drafts_and_gives_the_opinion(referral: Referral, outside: Client) -> None:
    address = addresses(referral)["page"]
    revision = outside.get(address).context["revision"]
    words = {
        "text": "Blasts with Auer rods.",
        "impression-lymphocyte": "Small",
        "revision": revision,
    }
    saved = outside.post(f"{address}draft/", words, headers={"HX-Request": "true"})
    assert "Draft saved" in saved.content.decode()
    assert "Blasts with Auer rods." in outside.get(address).content.decode()
    stale = outside.post(
        f"{address}draft/", words | {"text": "Other"}, headers={"HX-Request": "true"}
    )
    assert "another window" in stale.content.decode()
    given = outside.post(
        f"{address}opinion/", words | {"opinion_id": str(uuid.uuid4())}, follow=True
    )
    page = given.content.decode()
    assert "What you said" in page
    assert "Give addendum" in page
    assert Opinion.objects.get().impressions == {"lymphocyte": "Small"}


def test_an_empty_opinion_is_refused_and_nothing_typed_is_lost(
    referral: Referral, outside: Client
) -> None:
    send = {"opinion_id": str(uuid.uuid4()), "text": " ", "diagnosis": "AML?"}
    response = outside.post(f"{addresses(referral)['page']}opinion/", send)
    assert response.status_code == 422
    page = response.content.decode()
    assert "Write your opinion first." in page
    assert "AML?" in page


def test_a_long_case_is_read_with_few_queries(
    referral: Referral, outside: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(40):
        outside.get(addresses(referral)["page"])
    assert Cell.objects.filter(image__case=referral.case).count() == 3
