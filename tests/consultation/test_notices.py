"""Whom opinions and mentions are told to, by mail."""

import uuid

import pytest
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from classifier.models import Case
from consultation.services.discussion import Remark, comment
from notifications.models import Notice
from tests.consultation.conftest import Answer, Refer


@pytest.fixture(autouse=True)
def _mail(settings: Settings) -> None:
    settings.MAIL_IS_CONFIGURED = True


def told() -> list[tuple[str, str]]:
    """Who was told what."""
    return sorted(Notice.objects.values_list("recipient__full_name", "kind"))


def test_the_consultant_hears_of_the_referral_and_the_referrer_of_the_answer(
    open_case: Case, refer: Refer, answer: Answer
) -> None:
    referral = refer(open_case)
    assert told() == [("Cora Consultant", "referral.made")]
    notice = Notice.objects.get()
    assert not notice.is_shown
    assert notice.says is not None
    assert notice.says.address(notice.event) == reverse(
        "consultation:consultation", args=[referral.pk]
    )
    answer(referral)
    assert told() == [
        ("Cora Consultant", "referral.made"),
        ("Paul Pathologist", "opinion.given"),
    ]


def test_who_is_mentioned_hears_of_it(open_case: Case, pathologist: User, technician: User) -> None:
    remark = Remark("Look at this.", mentions=[technician.pk])
    comment(case=open_case, actor=pathologist, comment_id=uuid.uuid4(), remark=remark)
    assert told() == [("Tess Technician", "discussion.mention")]
