"""Inviting a consultant from the referral form."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from accounts.services import accept_invitation
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from consultation.models import Referral
from consultation.services.inviting import Newcomer, invite_and_refer
from consultation.services.referrals import Request
from tests.consultation.conftest import QUESTION, Refer
from tests.factories import UserFactory

ClientFor = Callable[[User], Client]
NEW = Newcomer("nora@outside.example", "Nora Newcomer", "MD")


@pytest.fixture
def invite(open_case: Case, pathologist: User) -> Callable[..., Any]:
    """Invite somebody new as the pathologist, unless said otherwise."""

    def make(newcomer: Newcomer = NEW, question: str = QUESTION, **changed: Any) -> Any:
        values: dict[str, Any] = {
            "actor": pathologist,
            "referral_id": uuid.uuid4(),
            "case_id": open_case.pk,
        }
        return invite_and_refer(**values | changed, newcomer=newcomer, wanted=Request(0, question))

    return make


def test_makes_an_account_that_sees_this_case_once_joined(
    invite: Callable[..., Any], client_for: ClientFor
) -> None:
    referral, invitation = invite()
    person = referral.consultant
    assert (person.email, person.role, person.is_active) == (NEW.email, Role.CONSULTANT, False)
    assert referral.is_outside
    assert not Referral.objects.visible_to(person).exists(), "not before joining"
    token = invitation.link.rstrip("/").rsplit("/", 1)[1]
    joined = accept_invitation(
        token=token, full_name="Nora Newcomer", title="MD", password="a-long-sentence-17"
    )
    assert list(Referral.objects.visible_to(joined)) == [referral]
    page = reverse("consultation:consultation", args=[referral.pk])
    assert client_for(joined).get(page).status_code == 200


def test_both_steps_are_in_the_audit_trail(invite: Callable[..., Any], pathologist: User) -> None:
    referral, _ = invite()
    events = AuditEvent.objects.filter(actor=pathologist)
    assert events.get(action="user.invited").target_id == str(referral.consultant.pk)
    made = events.get(action="referral.made").after
    assert made is not None
    assert made["consultant"] == NEW.email


def test_sent_twice_it_happens_once(invite: Callable[..., Any]) -> None:
    referral_id = uuid.uuid4()
    first, _ = invite(referral_id=referral_id)
    again, invitation = invite(referral_id=referral_id)
    assert (again, invitation) == (first, None)
    assert User.objects.filter(email=NEW.email).count() == 1


@pytest.mark.parametrize("question", ["  ", "Does Doe have blasts?"])
def test_a_refused_referral_leaves_no_account(invite: Callable[..., Any], question: str) -> None:
    with pytest.raises(GuardFailed):
        invite(question=question)
    assert not User.objects.filter(email=NEW.email).exists()
    assert not Referral.objects.exists()


def test_who_has_an_account_is_chosen_from_the_list(
    invite: Callable[..., Any], consultant: User
) -> None:
    with pytest.raises(GuardFailed, match="already has an account"):
        invite(Newcomer(consultant.email.upper(), "Somebody Else"))
    assert not Referral.objects.exists()


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMINISTRATOR, Role.CONSULTANT])
def test_only_who_may_refer_invites(invite: Callable[..., Any], role: Role) -> None:
    with pytest.raises(NotPermitted):
        invite(actor=UserFactory.create(role=role))
    assert not User.objects.filter(email=NEW.email).exists()


def test_who_has_not_joined_yet_can_be_asked_again(
    invite: Callable[..., Any], refer: Refer, open_case: Case, colleague: User
) -> None:
    referral, _ = invite()
    with pytest.raises(GuardFailed, match="has this case already"):
        refer(open_case, referral.consultant)


class TestForm:
    def send(self, client: Client, case: Case, **changed: str) -> Any:
        values = {
            "referral_id": str(uuid.uuid4()),
            "question": QUESTION,
            "email": NEW.email,
            "full_name": NEW.full_name,
        }
        return client.post(reverse("consultation:refer", args=[case.pk]), values | changed)

    def test_the_link_is_shown_once(
        self, open_case: Case, pathologist: User, client_for: ClientFor
    ) -> None:
        client = client_for(pathologist)
        done = self.send(client, open_case)
        assert done["Location"] == reverse("consultation:discussion", args=[open_case.pk])
        first, second = (client.get(done["Location"]).content.decode() for _ in range(2))
        assert "Hand over the invitation" in first
        assert "Hand over the invitation" not in second
        assert "Nora Newcomer (invited, has not joined)" in second

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"full_name": ""}, "E-mail and name are both needed"),
            ({"email": ""}, "E-mail and name are both needed"),
            ({"email": "nobody"}, "valid email"),
            ({"email": "", "full_name": ""}, "Choose whom to ask"),
        ],
    )
    def test_says_what_is_missing(
        self,
        open_case: Case,
        pathologist: User,
        client_for: ClientFor,
        changed: dict[str, str],
        sentence: str,
    ) -> None:
        refused = self.send(client_for(pathologist), open_case, **changed)
        assert refused.status_code == 422
        assert sentence in refused.content.decode()
        assert not Referral.objects.exists()

    def test_one_person_is_asked(
        self, open_case: Case, pathologist: User, consultant: User, client_for: ClientFor
    ) -> None:
        refused = self.send(client_for(pathologist), open_case, consultant=str(consultant.pk))
        assert refused.status_code == 422
        assert "from the list, or invite somebody new" in refused.content.decode()
