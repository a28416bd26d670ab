"""An outside consultant sees what was referred, while it is, and nothing else anywhere."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from classifier.services.cases import OrderDetails
from classifier.services.cases import open_case as register_case
from consultation.models import Opinion, Referral
from consultation.services.referrals import withdraw_referral
from tests.clinical import MakeImage, recent_specimen
from tests.consultation.conftest import ClientFor, addresses
from tests.factories import UserFactory


def test_the_start_page_leads_to_the_consultations(outside: Client) -> None:
    assert outside.get("/", follow=True).redirect_chain == [("/consultations/", 302)]


def test_the_bar_counts_what_waits(referral: Referral, outside: Client) -> None:
    assert outside.get("/waiting/").json() == {"news": 0, "consultations": 1, "notices": 0}


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMINISTRATOR, Role.LEARNER])
def test_who_gives_no_opinions_has_no_consultations(
    role: Role, referral: Referral, client_for: ClientFor
) -> None:
    client = client_for(UserFactory.create(role=role))
    assert client.get("/consultations/").status_code == 403
    for address in addresses(referral).values():
        assert client.get(address).status_code == 403


@pytest.mark.parametrize("role", [Role.CONSULTANT, Role.PATHOLOGIST])
def test_nobody_sees_a_case_through_anothers_referral(
    role: Role, referral: Referral, client_for: ClientFor
) -> None:
    client = client_for(UserFactory.create(role=role))
    assert referral.reference not in client.get("/consultations/").content.decode()
    for address in addresses(referral).values():
        assert client.get(address).status_code == 404


def test_a_referral_opens_no_other_case(
    referral: Referral, outside: Client, technician: User, add_picture: MakeImage
) -> None:
    other = register_case(
        actor=technician,
        patient=referral.case.patient,
        order=OrderDetails(),
        specimen=recent_specimen(),
    )
    image = add_picture(other)
    for name, pk in (("cell", image.cells.get().pk), ("field", image.pk)):
        address = reverse(f"consultation:{name}", args=[referral.pk, pk])
        assert outside.get(address).status_code == 404


def test_the_case_is_out_of_sight_when_its_time_is_up(referral: Referral, outside: Client) -> None:
    found = addresses(referral)
    outside.logout()
    for moment, expected in ((-1, 200), (0, 404), (1, 404)):
        with time_machine.travel(referral.expires_at + timedelta(seconds=moment), tick=False):
            outside.force_login(
                referral.consultant, backend="django.contrib.auth.backends.ModelBackend"
            )
            for address in found.values():
                assert outside.get(address).status_code == expected
            answered = outside.post(
                reverse("consultation:draft", args=[referral.pk]), {"text": "Late", "revision": ""}
            )
            assert (answered.status_code == 404) is (expected == 404)
            listed = outside.get("/consultations/").content.decode()
            assert (referral.question in listed) is (expected == 200)


def test_withdrawal_closes_a_page_that_stands_open(
    referral: Referral, outside: Client, pathologist: User
) -> None:
    found = addresses(referral)
    assert outside.get(found["page"]).status_code == 200
    withdraw_referral(referral=referral, actor=pathologist, reason="Wrong case.")
    for address in found.values():
        assert outside.get(address).status_code == 404
    send = {"opinion_id": str(uuid.uuid4()), "text": "Blasts."}
    assert outside.post(f"{found['page']}opinion/", send).status_code == 404
    assert not Opinion.objects.exists()


def test_a_consultant_whose_role_was_taken_sees_nothing(
    referral: Referral, consultant: User, client_for: ClientFor
) -> None:
    consultant.groups.clear()
    for address in addresses(referral).values():
        assert client_for(consultant).get(address).status_code == 403
