"""What is said of a case reaches nobody who reads its cells blind, and who said it doesn't read."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.exceptions import NotPermitted
from classifier.models import ReferenceStudy
from classifier.services.reference_counts import leave_reading, start_reading
from consultation.models import CaseComment, Referral
from consultation.selectors.waiting import Waiting, count_waiting
from consultation.services.discussion import Remark, comment
from consultation.services.opinions import Words, give_opinion
from consultation.services.referrals import Request, refer_case

ClientFor = Callable[[User], Client]

WORDS = "To me these are blasts."


@pytest.fixture
def reader(people: list[User]) -> User:
    return people[0]


def say(study: ReferenceStudy, author: User, *mentioned: User) -> CaseComment:
    remark = Remark(WORDS, mentions=[person.pk for person in mentioned])
    return comment(case=study.case, actor=author, comment_id=uuid.uuid4(), remark=remark)


def ask(study: ReferenceStudy, referrer: User, asked: User) -> Referral:
    return refer_case(
        case_id=study.case_id,
        actor=referrer,
        referral_id=uuid.uuid4(),
        wanted=Request(asked.pk, WORDS),
    )


def read_by(study: ReferenceStudy, person: User) -> None:
    start_reading(study_id=study.pk, actor=person)


class TestWhileReading:
    def test_mentions_wait_until_the_reading_ends(
        self, study: ReferenceStudy, reader: User, people: list[User], client_for: ClientFor
    ) -> None:
        read_by(study, reader)
        say(study, people[1], reader)
        client = client_for(reader)
        assert WORDS not in client.get(reverse("consultation:mentions")).content.decode()
        assert count_waiting(reader) == Waiting()
        mention = reader.mentions.get()
        opening = reverse("consultation:open_mention", args=[mention.pk])
        assert client.post(opening).status_code == 404
        leave_reading(study_id=study.pk, actor=reader)
        assert WORDS in client.get(reverse("consultation:mentions")).content.decode()

    def test_the_discussion_is_closed(
        self, study: ReferenceStudy, reader: User, people: list[User], client_for: ClientFor
    ) -> None:
        say(study, people[1])
        read_by(study, reader)
        page = reverse("consultation:discussion", args=[study.case_id])
        assert client_for(reader).get(page).status_code == 404
        with pytest.raises(NotPermitted):
            say(study, reader)

    def test_a_referral_to_the_reader_shows_not_even_its_question(
        self, study: ReferenceStudy, reader: User, people: list[User], client_for: ClientFor
    ) -> None:
        read_by(study, reader)
        referral = ask(study, people[1], reader)
        client = client_for(reader)
        shelf = client.get(reverse("consultation:consultations")).content.decode()
        assert WORDS not in shelf
        assert referral.reference not in shelf
        page = reverse("consultation:consultation", args=[referral.pk])
        assert client.get(page).status_code == 404
        assert count_waiting(reader) == Waiting()
        leave_reading(study_id=study.pk, actor=reader)
        assert WORDS in client.get(reverse("consultation:consultations")).content.decode()

    def test_answers_to_a_referral_made_by_somebody_else_stay_away(
        self, study: ReferenceStudy, reader: User, people: list[User], client_for: ClientFor
    ) -> None:
        referral = ask(study, people[1], people[2])
        give_opinion(
            referral=referral, actor=people[2], opinion_id=uuid.uuid4(), words=Words(WORDS)
        )
        read_by(study, reader)
        client = client_for(reader)
        for address in (
            reverse("classifier:case_detail", args=[study.case_id]),
            reverse("consultation:discussion", args=[study.case_id]),
        ):
            assert client.get(address).status_code == 404


class TestWhoDoesNotRead:
    @pytest.mark.parametrize("deed", ["comments", "refers", "answers"])
    def test_who_spoke_about_the_case(
        self, study: ReferenceStudy, people: list[User], deed: str
    ) -> None:
        person, other = people[:2]
        deeds: dict[str, Callable[[], Any]] = {
            "comments": lambda: say(study, person),
            "refers": lambda: ask(study, person, other),
            "answers": lambda: give_opinion(
                referral=ask(study, other, person),
                actor=person,
                opinion_id=uuid.uuid4(),
                words=Words(WORDS),
            ),
        }
        deeds[deed]()
        with pytest.raises(NotPermitted, match="nothing to do with the case"):
            read_by(study, person)
        read_by(study, people[2])


class TestWhatIsNoted:
    def test_who_was_asked_and_looked_had_seen_the_record(
        self, study: ReferenceStudy, people: list[User], client_for: ClientFor
    ) -> None:
        referral = ask(study, people[1], people[0])
        client_for(people[0]).get(reverse("consultation:consultation", args=[referral.pk]))
        reading = start_reading(study_id=study.pk, actor=people[0])
        assert reading.had_seen_record

    def test_so_had_who_read_a_comment_among_the_mentions(
        self, study: ReferenceStudy, people: list[User], client_for: ClientFor
    ) -> None:
        say(study, people[1], people[0])
        client = client_for(people[0])
        for _ in range(2):
            client.get(reverse("consultation:mentions"))
        seen = AuditEvent.objects.filter(actor=people[0], action="patient.viewed")
        assert seen.count() == 1, "once an hour"
        assert start_reading(study_id=study.pk, actor=people[0]).had_seen_record

    def test_opening_a_count_is_not_seeing_the_record(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        assert not start_reading(study_id=study.pk, actor=people[0]).had_seen_record
