"""Writing comments, taking them back, and reading what one is mentioned in."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Cell, SmearImage
from consultation import policies
from consultation.models import CaseComment, Mention, Retraction
from consultation.selectors.people import list_members

if TYPE_CHECKING:
    from accounts.models import User

TEXT_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said, of which cell or field (else of the whole case), and whom it is for."""

    text: str
    cell_id: uuid.UUID | None = None
    image_id: uuid.UUID | None = None
    mentions: Collection[int] = ()


@transaction.atomic
def comment(*, case: Case, actor: "User", comment_id: uuid.UUID, remark: Remark) -> CaseComment:
    """Add a comment to the case's discussion. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't discuss cases, or can't see this one.
        GuardFailed: empty, too long, of a cell or field of another case, or for somebody who
            can't see the case.
        EditConflict: the comment's id was used for something else.
    """
    if not policies.can_comment(actor, case):
        raise NotPermitted("You may not comment on this case.")
    if repeated := CaseComment.objects.filter(pk=comment_id).first():
        return _same(repeated, case, actor)
    text = _checked(remark.text)
    cell, image = _place(case, remark)
    people = _people(actor, remark.mentions)
    said = {"case": case, "cell": cell, "image": image, "author": actor, "text": text}
    written, is_new = CaseComment.objects.get_or_create(id=comment_id, defaults=said)
    if not is_new:
        return _same(written, case, actor)
    Mention.objects.bulk_create(Mention(comment=written, user=person) for person in people)
    record(
        actor=actor,
        action="discussion.commented",
        target=case,
        after={
            "comment": written.pk,
            "cell": remark.cell_id,
            "image": remark.image_id,
            "text": text,
            "mentions": [person.email for person in people],
        },
        patient=case.patient_id,
    )
    return written


@transaction.atomic
def retract(*, comment: CaseComment, actor: "User") -> Retraction:
    """Take one's own comment back: its words vanish, that it stood there stays. Again is harmless.

    Raises:
        NotPermitted: somebody else wrote it.
    """
    comment = CaseComment.objects.select_for_update(of=("self",)).get(pk=comment.pk)
    if not policies.can_retract(actor, comment):
        raise NotPermitted("Only who wrote a comment may take it back.")
    retraction, is_new = Retraction.objects.get_or_create(comment=comment)
    if is_new:
        record(
            actor=actor,
            action="discussion.retracted",
            target=comment.case,
            before={"comment": comment.pk, "text": comment.text},
            patient=comment.case.patient_id,
        )
    return retraction


def mark_read(*, user: "User", mention_ids: Collection[int] | None = None) -> int:
    """Note that the user has read these mentions (None: all); return how many were unread."""
    unread = Mention.objects.of(user).filter(read_at__isnull=True)
    if mention_ids is not None:
        unread = unread.filter(pk__in=mention_ids)
    return int(unread.update(read_at=timezone.now()))


def _same(comment: CaseComment, case: Case, actor: "User") -> CaseComment:
    if (comment.case_id, comment.author_id) != (case.pk, actor.pk):
        raise EditConflict("This comment was already recorded for something else.")
    return comment


def _checked(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise GuardFailed("Write something first.")
    if len(text) > TEXT_LIMIT:
        over = len(text) - TEXT_LIMIT
        noun = "character" if over == 1 else "characters"
        raise GuardFailed(f"The comment is {over} {noun} longer than the {TEXT_LIMIT} that fit.")
    return text


def _place(case: Case, remark: Remark) -> tuple[Cell | None, SmearImage | None]:
    cell = image = None
    if remark.cell_id:
        cell = Cell.objects.filter(pk=remark.cell_id, image__case=case).first()
    elif remark.image_id:
        image = case.images.filter(pk=remark.image_id).first()
    if (remark.cell_id or remark.image_id) and not (cell or image):
        raise GuardFailed("Comment on a cell or a field of this case.")
    return cell, image


def _people(actor: "User", wanted: Collection[int]) -> list["User"]:
    people = list(list_members(actor).filter(pk__in=wanted))
    if len(people) != len(set(wanted)):
        raise GuardFailed("Mention only people who may see this case.")
    return people
