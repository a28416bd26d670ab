"""The discussion of a case, thread by thread, and what a member is mentioned in."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404

from classifier.enums import CellType
from classifier.models import Case
from classifier.selectors.cells import CellView, list_cells
from consultation.models import CaseComment, Mention

if TYPE_CHECKING:
    from accounts.models import User

MENTIONS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment with those it is for; of a retracted one only who and when."""

    comment: CaseComment
    people: tuple[str, ...]
    can_retract: bool

    @property
    def is_retracted(self) -> bool:
        """True once its author took it back."""
        return hasattr(self.comment, "retraction")


@dataclass(frozen=True, slots=True)
class Thread:
    """Comments on the case, or on one cell or field; `key` is "case" or "cell-…", "field-…"."""

    key: str
    title: str
    cell_id: uuid.UUID | None
    image_id: uuid.UUID | None
    comments: tuple[CommentView, ...]


def list_threads(case: Case, reader: "User") -> list[Thread]:
    """Return the threads of a case: the case itself first, then by their last comment."""
    comments = CaseComment.objects.filter(case=case).select_related("author", "retraction")
    found: dict[tuple[uuid.UUID | None, uuid.UUID | None], list[CaseComment]] = {}
    for comment in comments.prefetch_related("mentions__user"):
        found.setdefault((comment.cell_id, comment.image_id), []).append(comment)
    titles = _titles(case, found)
    threads = [
        Thread(
            key=_key(cell_id, image_id),
            title=titles[cell_id or image_id],
            cell_id=cell_id,
            image_id=image_id,
            comments=tuple(_view(comment, reader) for comment in written),
        )
        for (cell_id, image_id), written in found.items()
    ]
    threads.sort(key=lambda thread: thread.comments[-1].comment.created_at, reverse=True)
    return sorted(threads, key=lambda thread: thread.key != "case")


def token_of(case: Case) -> str:
    """Return a word that changes whenever comments or referrals of the case change."""
    comments = case.comments.aggregate(n=Count("pk"), gone=Count("retraction"))
    referrals = case.referrals.aggregate(
        n=Count("pk", distinct=True),
        opened=Count("pk", distinct=True, filter=Q(first_opened_at__isnull=False)),
        withdrawn=Count("pk", distinct=True, filter=Q(withdrawn_at__isnull=False)),
        opinions=Count("opinions", distinct=True),
        terms=Count("terms", distinct=True),
    )
    return "-".join(str(part) for part in (comments["n"], comments["gone"], *referrals.values()))


def get_comment(user: "User", comment_id: uuid.UUID) -> CaseComment:
    """Return a comment of a case the user may see; else Http404."""
    found = CaseComment.objects.filter(case__in=Case.objects.visible_to(user))
    return get_object_or_404(found.select_related("case"), pk=comment_id)


def describe_place(case: Case, cell_id: uuid.UUID | None, image_id: uuid.UUID | None) -> str:
    """Return what a comment is on, in words."""
    return _titles(case, [(cell_id, image_id)])[cell_id or image_id]


def list_mentions(user: "User") -> Sequence[Mention]:
    """Return the user's mentions, the newest first, unread before read."""
    found = Mention.objects.of(user).select_related(
        "comment__author", "comment__case__patient", "comment__retraction"
    )
    return sorted(found[:MENTIONS_SHOWN], key=lambda mention: mention.read_at is not None)


def get_mention(user: "User", mention_id: int) -> Mention:
    """Return a mention of the user; else Http404."""
    found = Mention.objects.of(user).select_related("comment__case")
    return get_object_or_404(found, pk=mention_id)


def _view(comment: CaseComment, reader: "User") -> CommentView:
    people = tuple(mention.user.full_name for mention in comment.mentions.all())
    is_retracted = hasattr(comment, "retraction")
    return CommentView(comment, people, comment.author_id == reader.pk and not is_retracted)


def _key(cell_id: uuid.UUID | None, image_id: uuid.UUID | None) -> str:
    if cell_id:
        return f"cell-{cell_id}"
    return f"field-{image_id}" if image_id else "case"


def _titles(
    case: Case, places: Iterable[tuple[uuid.UUID | None, uuid.UUID | None]]
) -> dict[uuid.UUID | None, str]:
    """Name what was commented on: a cell by its class as it stands, a field by its file."""
    wanted = list(places)
    cells = list_cells(case, [cell_id for cell_id, _ in wanted if cell_id])
    titles: dict[uuid.UUID | None, str] = {None: "The case"}
    titles |= {cell.id: f"Cell: {_cell_name(cell)}" for cell in cells}
    images = case.images.filter(pk__in=[image_id for _, image_id in wanted if image_id])
    return titles | {image.pk: f"Field {image.original_name}" for image in images}


def _cell_name(cell: CellView) -> str:
    return "undecided" if cell.mark.is_unresolved else str(CellType(cell.finding).label).lower()
