"""Comments on a case, a field or a cell; taking them back; mentions of colleagues."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case
from consultation.models import CaseComment, Mention, Retraction
from consultation.selectors.discussion import list_threads
from consultation.selectors.waiting import count_waiting
from consultation.services.discussion import Remark, comment, mark_read, retract
from tests.consultation.conftest import Answer, Refer
from tests.factories import UserFactory
from tests.fields import ReadCase, field_pixels
from tests.reviewing import cells_of

ClientFor = Callable[[User], Client]
Say = Callable[..., CaseComment]


@pytest.fixture
def say(open_case: Case, pathologist: User) -> Say:
    """Comment on the case as the pathologist unless said otherwise."""

    def write(text: str = "Look again.", actor: User | None = None, **rest: Any) -> CaseComment:
        return comment(
            case=rest.pop("case", open_case),
            actor=actor or pathologist,
            comment_id=rest.pop("comment_id", uuid.uuid4()),
            remark=Remark(text, **rest),
        )

    return write


# Writing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.PATHOLOGIST, Role.ADMINISTRATOR])
def test_members_comment(say: Say, role: Role) -> None:
    assert say(actor=UserFactory.create(role=role)).text == "Look again."


@pytest.mark.parametrize("role", [Role.CONSULTANT, Role.LEARNER])
def test_others_do_not(say: Say, role: Role) -> None:
    with pytest.raises(NotPermitted):
        say(actor=UserFactory.create(role=role))


def test_repeating_a_comment_writes_it_once(say: Say, colleague: User) -> None:
    key = uuid.uuid4()
    for _ in range(2):
        say(comment_id=key, mentions=[colleague.pk])
    assert (CaseComment.objects.count(), Mention.objects.count()) == (1, 1)
    with pytest.raises(EditConflict):
        say(comment_id=key, actor=colleague)


def test_comments_on_a_cell_and_a_field_are_of_this_case(say: Say, open_case: Case) -> None:
    cell = cells_of(open_case)[0]
    assert say(cell_id=cell.pk).cell == cell
    assert say(image_id=cell.image_id).image_id == cell.image_id
    with pytest.raises(GuardFailed, match="of this case"):
        say(cell_id=uuid.uuid4())


@pytest.mark.parametrize(
    ("text", "problem"),
    [(" \n", "Write something"), ("x" * 2001, "1 character longer than the 2000 that fit")],
)
def test_refuses_what_says_nothing_or_too_much(say: Say, text: str, problem: str) -> None:
    with pytest.raises(GuardFailed, match=problem):
        say(text)


def test_comments_are_audited(say: Say, open_case: Case) -> None:
    written = say()
    event = AuditEvent.objects.get(action="discussion.commented")
    assert event.after is not None
    assert (event.target_id, event.after["comment"]) == (str(open_case.pk), str(written.pk))


def test_a_comment_is_never_changed(say: Say) -> None:
    written = say()
    written.text = "Something else."
    with pytest.raises(Exception, match="update or delete"), transaction.atomic():
        written.save()


def test_the_database_wants_one_place(say: Say, open_case: Case, pathologist: User) -> None:
    cell = cells_of(open_case)[0]
    with pytest.raises(IntegrityError, match="one_thing"), transaction.atomic():
        CaseComment.objects.create(
            case=open_case, cell=cell, image=cell.image, author=pathologist, text="Both."
        )


# Taking back ------------------------------------------------------------------------------------


def test_the_author_takes_a_comment_back_and_its_place_stays(
    say: Say, pathologist: User, colleague: User, client_for: ClientFor, open_case: Case
) -> None:
    written = say("Said in haste.")
    with pytest.raises(NotPermitted):
        retract(comment=written, actor=colleague)
    for _ in range(2):
        retract(comment=written, actor=pathologist)
    assert Retraction.objects.count() == 1
    assert AuditEvent.objects.filter(action="discussion.retracted").count() == 1
    address = reverse("consultation:discussion", args=[open_case.pk])
    page = client_for(colleague).get(address).content.decode()
    assert "Said in haste." not in page
    assert "Taken back by Paul Pathologist" in page


# Mentions ---------------------------------------------------------------------------------------


def test_only_people_who_may_see_the_case_are_mentioned(
    say: Say, colleague: User, consultant: User, learner: User, pathologist: User
) -> None:
    left = UserFactory.create(role=Role.PATHOLOGIST, is_active=False)
    say(mentions=[colleague.pk])
    for person in (consultant, learner, left, pathologist):
        with pytest.raises(GuardFailed, match="may see this case"):
            say(mentions=[colleague.pk, person.pk])
    assert Mention.objects.count() == 1


def test_the_page_offers_only_them(
    say: Say,
    open_case: Case,
    colleague: User,
    consultant: User,
    pathologist: User,
    client_for: ClientFor,
) -> None:
    address = reverse("consultation:discussion", args=[open_case.pk])
    people = client_for(pathologist).get(address).context["people"]
    assert colleague.full_name in dict(people).values()
    assert not {consultant.pk, pathologist.pk} & set(dict(people))
    sent = client_for(pathologist).post(
        reverse("consultation:comment", args=[open_case.pk]),
        {"comment_id": str(uuid.uuid4()), "text": "Hm", "mentions": [str(consultant.pk)]},
        headers={"X-Requested-With": "fetch"},
    )
    assert (sent.status_code, sent.content.decode()) == (
        422,
        "Mention only people who may see this case.",
    )


def test_mentions_are_counted_until_read(
    say: Say, colleague: User, client_for: ClientFor, open_case: Case
) -> None:
    cell = cells_of(open_case)[0]
    say(mentions=[colleague.pk], cell_id=cell.pk)
    say("And here.", mentions=[colleague.pk])
    client = client_for(colleague)
    assert client.get("/waiting/").json() == {"news": 2, "consultations": 0, "notices": 0}
    first = Mention.objects.get(comment__cell=cell)
    opened = client.post(reverse("consultation:open_mention", args=[first.pk]))
    assert opened["Location"] == (
        f"{reverse('classifier:review', args=[open_case.pk])}?cell={cell.pk}&tab=discussion"
    )
    assert count_waiting(colleague).mentions == 1
    client.post("/mentions/read/")
    assert count_waiting(colleague).mentions == 0
    assert "And here." in client.get("/mentions/").content.decode()


def test_nobody_reads_anothers_mention(
    say: Say, colleague: User, pathologist: User, client_for: ClientFor
) -> None:
    say(mentions=[colleague.pk])
    mention = Mention.objects.get()
    address = reverse("consultation:open_mention", args=[mention.pk])
    assert client_for(pathologist).post(address).status_code == 404
    assert mark_read(user=pathologist) == 0


def test_a_retracted_comment_asks_for_nobody(say: Say, colleague: User, pathologist: User) -> None:
    retract(comment=say(mentions=[colleague.pk]), actor=pathologist)
    assert count_waiting(colleague).mentions == 0


def test_who_lost_the_right_to_see_the_case_has_no_mentions(say: Say, colleague: User) -> None:
    say(mentions=[colleague.pk])
    colleague.groups.clear()
    assert count_waiting(User.objects.get(pk=colleague.pk)).news == 0


# The page ---------------------------------------------------------------------------------------


def test_threads_are_of_the_case_first_then_by_their_last_comment(
    say: Say, open_case: Case, pathologist: User
) -> None:
    cells = cells_of(open_case)
    say("On the first.", cell_id=cells[0].pk)
    say("On the case.")
    say("On the second.", cell_id=cells[1].pk)
    say("On the picture.", image_id=cells[1].image_id)
    threads = list_threads(open_case, pathologist)
    assert [thread.key.split("-")[0] for thread in threads] == ["case", "field", "cell", "cell"]
    assert [thread.title for thread in threads[2:]] == ["Cell: lymphocyte", "Cell: neutrophil"]


def test_words_are_shown_as_they_were_typed(
    say: Say, open_case: Case, client_for: ClientFor
) -> None:
    evil = "<script>alert(1)</script> javascript:alert(1) https://evil.example <b>"
    author = UserFactory.create(role=Role.TECHNICIAN, full_name="<i>Ted</i>")
    say(evil, actor=author)
    for address in (
        reverse("consultation:discussion", args=[open_case.pk]),
        reverse("consultation:talk", args=[open_case.pk]),
    ):
        page = client_for(author).get(address).content.decode()
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<i>Ted" not in page
        assert 'href="https://evil' not in page


def test_a_page_that_is_up_to_date_gets_nothing(
    say: Say, open_case: Case, pathologist: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    address = reverse("consultation:talk", args=[open_case.pk])
    token = client.get(address).context["token"]
    assert client.get(address, {"seen": token}).status_code == 204
    say()
    assert client.get(address, {"seen": token}).status_code == 200


def test_without_scripts_the_plain_form_works(
    open_case: Case, pathologist: User, colleague: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    address = reverse("consultation:comment", args=[open_case.pk])
    send = {"comment_id": str(uuid.uuid4()), "place": "case", "text": "Plain.",
            "mentions": [str(colleague.pk)]}  # fmt: skip
    assert client.post(address, send).status_code == 302
    assert Mention.objects.get().user == colleague
    refused = client.post(address, send | {"comment_id": str(uuid.uuid4()), "text": ""})
    assert refused.status_code == 422
    odd = client.post(
        address, send | {"comment_id": str(uuid.uuid4()), "place": "cell-" + "-" * 36}
    )
    assert odd.status_code == 422


def test_a_field_can_be_commented_on_without_scripts(
    read_case: ReadCase, pathologist: User, client_for: ClientFor
) -> None:
    case = read_case([field_pixels(1)])
    address = reverse("consultation:discussion", args=[case.pk])
    places = client_for(pathologist).get(address).context["places"]
    assert places == [("case", "the case"), (f"field-{case.images.get().pk}", "field field-1.png")]


def test_opinions_stand_beside_with_quote_for_the_signer_alone(
    open_case: Case,
    refer: Refer,
    answer: Answer,
    pathologist: User,
    colleague: User,
    client_for: ClientFor,
) -> None:
    opinion = answer(refer(open_case), "They are blasts.")
    address = reverse("consultation:discussion", args=[open_case.pk])
    quote = reverse("consultation:quote", args=[opinion.pk])
    for person, may_quote in ((pathologist, True), (colleague, False)):
        page = client_for(person).get(address).content.decode()
        assert "They are blasts." in page
        assert (quote in page) is may_quote
    assert client_for(colleague).post(quote).status_code == 403
    client_for(pathologist).post(quote)
    review = reverse("classifier:review", args=[open_case.pk])
    assert "“They are blasts.”" in client_for(pathologist).get(review).content.decode()


def test_referring_by_the_form(
    open_case: Case, consultant: User, pathologist: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    address = reverse("consultation:refer", args=[open_case.pk])
    send = {"referral_id": str(uuid.uuid4()), "consultant": str(consultant.pk), "question": "Doe?"}
    refused = client.post(address, send)
    assert refused.status_code == 422
    assert "The question holds the patient&#x27;s name" in refused.content.decode()
    review = reverse("classifier:review", args=[open_case.pk])
    done = client.post(
        address, send | {"question": "Blasts?"}, headers={"Referer": f"http://testserver{review}"}
    )
    assert done["Location"] == f"{review}?tab=discussion"


def test_a_long_discussion_is_read_with_few_queries(
    say: Say,
    open_case: Case,
    pathologist: User,
    colleague: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    for cell in cells_of(open_case):
        for _ in range(4):
            say(cell_id=cell.pk, mentions=[colleague.pk])
    client = client_for(pathologist)
    with django_assert_max_num_queries(34):
        client.get(reverse("consultation:discussion", args=[open_case.pk]))
    client = client_for(colleague)
    with django_assert_max_num_queries(19):  # three record the read
        client.get("/mentions/")
