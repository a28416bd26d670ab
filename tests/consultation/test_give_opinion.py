"""An opinion: drafted, given once and for all, added to; quoted and printed by the signer."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case
from classifier.services.reviews import find_open_review, release, set_comment
from consultation.models import Opinion, OpinionDraft, Referral
from consultation.selectors.waiting import count_waiting
from consultation.services.opinions import (
    STATEMENT,
    Words,
    give_opinion,
    mark_answer_read,
    print_opinion,
    revision_of,
    save_draft,
)
from consultation.services.quoting import quote_opinion
from consultation.services.referrals import withdraw_referral
from tests.consultation.conftest import Answer, Refer

Draft = Callable[..., OpinionDraft]


@pytest.fixture
def referral(open_case: Case, refer: Refer) -> Referral:
    return refer(open_case)


@pytest.fixture
def draft(referral: Referral, consultant: User) -> Draft:
    def save(text: str, revision: str = revision_of(Words())) -> OpinionDraft:
        return save_draft(referral=referral, actor=consultant, words=Words(text), revision=revision)

    return save


def test_keeps_a_draft_that_nobody_else_changed(draft: Draft) -> None:
    draft("They")
    assert draft("They").text == "They"
    assert draft("They are.", revision_of(Words("They"))).text == "They are."
    with pytest.raises(EditConflict):
        draft("They aren't.", revision_of(Words("They")))
    assert OpinionDraft.objects.get().text == "They are."


def test_drafts_are_not_told_to_anybody(draft: Draft) -> None:
    draft("Perhaps.")
    assert not AuditEvent.objects.filter(action__startswith="opinion").exists()


def test_giving_empties_the_draft_and_keeps_what_was_declared(
    draft: Draft, referral: Referral, answer: Answer
) -> None:
    draft("They")
    opinion = answer(referral, diagnosis="AML", impressions={"blast": "Auer rods", "monocyte": " "})
    assert OpinionDraft.objects.get().text == ""
    assert opinion.author_name == "Cora Consultant"
    assert opinion.impressions == {"blast": "Auer rods"}
    event = AuditEvent.objects.get(action="opinion.given")
    assert event.after is not None
    assert event.after["statement"] == STATEMENT


def test_giving_it_twice_gives_it_once(referral: Referral, consultant: User) -> None:
    key = uuid.uuid4()
    for _ in range(2):
        give_opinion(referral=referral, actor=consultant, opinion_id=key, words=Words("Yes."))
    assert Opinion.objects.count() == 1


def test_what_is_added_stands_beside_what_was_said(referral: Referral, answer: Answer) -> None:
    answer(referral, "Yes.")
    answer(referral, "On second thought, no.")
    assert [each.text for each in referral.opinions.all()] == ["Yes.", "On second thought, no."]


def test_an_opinion_is_never_changed(referral: Referral, answer: Answer) -> None:
    opinion = answer(referral)
    opinion.text = "No."
    with pytest.raises(Exception, match="update or delete"), transaction.atomic():
        opinion.save()
    with pytest.raises(Exception, match="delete rows"), transaction.atomic():
        opinion.delete()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (Words(" "), "Write your opinion"),
        (Words("x" * 10_001), "longer than 10000"),
        (Words("Yes", "x" * 1001), "longer than 1000"),
        (Words("Yes", "", {"blast": "x" * 301}), "longer than 300"),
        (Words("Yes", "", {"unicorn": "horn"}), "no such cell class"),
    ],
)
def test_refuses_words_that_say_nothing_or_too_much(
    referral: Referral, consultant: User, words: Words, problem: str
) -> None:
    with pytest.raises(GuardFailed, match=problem):
        give_opinion(referral=referral, actor=consultant, opinion_id=uuid.uuid4(), words=words)


def test_nobody_else_answers(referral: Referral, pathologist: User, colleague: User) -> None:
    for person in (pathologist, colleague):
        with pytest.raises(NotPermitted):
            give_opinion(
                referral=referral, actor=person, opinion_id=uuid.uuid4(), words=Words("Yes.")
            )


def test_nobody_answers_after_expiry_or_withdrawal(
    referral: Referral, answer: Answer, pathologist: User
) -> None:
    with (
        time_machine.travel(referral.expires_at + timedelta(seconds=1), tick=False),
        pytest.raises(NotPermitted),
    ):
        answer(referral)
    withdraw_referral(referral=referral, actor=pathologist, reason="Solved.")
    with pytest.raises(NotPermitted):
        answer(referral)


def test_the_referrer_hears_of_each_answer_until_it_was_read(
    referral: Referral, answer: Answer, pathologist: User, consultant: User
) -> None:
    assert count_waiting(consultant).consultations == 1
    answer(referral)
    assert count_waiting(consultant).consultations == 0
    assert count_waiting(pathologist).news == 1
    mark_answer_read(referral=referral, actor=pathologist)
    assert count_waiting(pathologist).news == 0
    answer(referral, "And one thing more.")
    assert count_waiting(pathologist).news == 1


# The signer's use of it ------------------------------------------------------------------------


def test_a_quotation_names_its_author_and_is_added_once(
    open_case: Case, referral: Referral, answer: Answer, pathologist: User
) -> None:
    set_comment(
        case_id=open_case.pk, actor=pathologist, text="Left shift.", revision="e3b0c44298fc1c14"
    )
    opinion = answer(referral, "They are blasts.", diagnosis="AML")
    for _ in range(2):
        quote_opinion(opinion=opinion, actor=pathologist)
    review = find_open_review(open_case)
    assert review is not None
    assert review.comment.startswith("Left shift.\n\nOpinion of Cora Consultant, ")
    assert review.comment.endswith(": “They are blasts.\nAML”")
    assert review.comment.count("Opinion of") == 1


def test_an_opinion_never_enters_the_interpretation_by_itself(
    open_case: Case, referral: Referral, answer: Answer
) -> None:
    answer(referral)
    review = find_open_review(open_case)
    assert review is not None
    assert review.comment == ""


def test_only_who_has_the_case_open_quotes_or_prints(
    open_case: Case, referral: Referral, answer: Answer, colleague: User, pathologist: User
) -> None:
    opinion = answer(referral)
    with pytest.raises(NotPermitted):
        quote_opinion(opinion=opinion, actor=colleague)
    with pytest.raises(NotPermitted):
        print_opinion(referral=referral, actor=colleague, is_printed=True)
    release(case_id=open_case.pk, actor=pathologist)
    with pytest.raises(TransitionRefused):
        print_opinion(referral=referral, actor=pathologist, is_printed=True)


def test_printing_is_the_signers_choice_and_audited(referral: Referral, pathologist: User) -> None:
    for _ in range(2):
        print_opinion(referral=referral, actor=pathologist, is_printed=True)
    assert AuditEvent.objects.filter(action="opinion.printed").count() == 1
    assert not print_opinion(referral=referral, actor=pathologist, is_printed=False).prints_opinion
