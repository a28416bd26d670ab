"""Fixtures: cases that were referred, who was asked, and the consultant's words."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case
from consultation.models import CaseComment, Opinion, Referral
from consultation.services.discussion import Remark, comment
from consultation.services.opinions import Words, give_opinion
from consultation.services.referrals import Request, refer_case
from tests.factories import UserFactory
from tests.fields import ReadCase, field_pixels
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]
Refer = Callable[..., Referral]
Answer = Callable[..., Opinion]

QUESTION = "Are these blasts?"


@pytest.fixture
def colleague(db: None) -> User:
    """Another pathologist of the laboratory."""
    return UserFactory.create(role=Role.PATHOLOGIST, full_name="Carl Colleague", title="MD")


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    """A case that the pathologist has open."""
    return classified_case(["neutrophil", "lymphocyte", "unidentified"], in_review=True)


@pytest.fixture
def refer(pathologist: User, consultant: User) -> Refer:
    """Refer a case as the pathologist, to the outside consultant unless said otherwise."""

    def make(case: Case, to: User | None = None, **wanted: Any) -> Referral:
        return refer_case(
            case_id=case.pk,
            actor=pathologist,
            referral_id=wanted.pop("referral_id", uuid.uuid4()),
            wanted=Request((to or consultant).pk, wanted.pop("question", QUESTION), **wanted),
        )

    return make


@pytest.fixture
def answer() -> Answer:
    """Give an opinion as the one who was asked."""

    def give(referral: Referral, text: str = "They are.", **words: Any) -> Opinion:
        return give_opinion(
            referral=referral,
            actor=referral.consultant,
            opinion_id=uuid.uuid4(),
            words=Words(text, **words),
        )

    return give


@pytest.fixture
def referral(open_case: Case, refer: Refer) -> Referral:
    return refer(open_case)


@pytest.fixture
def outside(consultant: User, client_for: ClientFor) -> Client:
    return client_for(consultant)


@pytest.fixture
def told(open_case: Case, pathologist: User) -> CaseComment:
    """Something that members say of the case among themselves."""
    return comment(
        case=open_case, actor=pathologist, comment_id=uuid.uuid4(), remark=Remark("Not for her.")
    )


@pytest.fixture
def field_case(read_case: ReadCase) -> Case:
    return read_case([field_pixels(7, (640, 480))])


def addresses(referral: Referral) -> dict[str, str]:
    """Every address through which the consultant sees the case."""
    cell = cells_of(referral.case)[0]
    return {
        "page": reverse("consultation:consultation", args=[referral.pk]),
        "thumbnail": reverse("consultation:cell_thumbnail", args=[referral.pk, cell.pk]),
        "cell": reverse("consultation:cell", args=[referral.pk, cell.pk]),
    }
