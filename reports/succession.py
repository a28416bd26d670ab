"""What a draft says as the version after the last: final, interim, corrected or appended.

An appended report is the signed one with more: it is built from what was signed, and refused if
the record now says anything else.
"""

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import TextChoices

from classifier.exceptions import GuardFailed
from reports.changes import ABSENT, list_changes
from reports.content import (
    UNNAMED_ANALYSER,
    Amendment,
    CellPicture,
    Change,
    Coded,
    CriticalResults,
    ReplacedInterim,
    ReportContent,
)
from reports.enums import Issue, ReportStatus
from reports.formats import critical_call, moment
from reports.models import Report
from reports.pictures import MOST_PICTURES

MUST_STAND = {
    "patient": "Patient",
    "request": "Request",
    "specimen": "Specimen",
    "differential": "Leukocyte differential",
    "white_count": "Leukocytes (WBC)",
    "nucleated_red_cells": "Nucleated red cells",
    "other_cells": "Other cells seen",
    "reading": "How the cells were read",
    "fields": "Fields",
    "analyser_results": "Analyser results",
    "morphology": "Morphology",
}
"""The parts that the record must still say as they were signed, with their names."""

MAY_GROW = ("interpretation", "consultations", "pictures", "critical")


def as_next(draft: ReportContent, last: Report | None, issue: Issue, reason: str) -> ReportContent:
    """Return the draft as the version that follows ``last``.

    Raises:
        GuardFailed: no such version can follow; or an addition would change what was signed.
    """
    if last is None or last.status == ReportStatus.PRELIMINARY:
        return _before_the_result(draft, last, issue)
    if issue == Issue.INTERIM:
        raise GuardFailed("A signed report is not followed by an interim one.")
    if issue == Issue.ADDITION:
        return _as_addition(draft, last, reason)
    changes = list_changes(last.says, draft)
    return _following(draft, last, ReportStatus.CORRECTED, _amendment(last, reason, changes))


def coded(choice: TextChoices) -> Coded:
    """Return a choice with the word that a reader sees."""
    return Coded(choice.value, str(choice.label))


def _before_the_result(draft: ReportContent, last: Report | None, issue: Issue) -> ReportContent:
    if issue == Issue.ADDITION:
        raise GuardFailed("Nothing is signed yet that could be added to.")
    status = ReportStatus.PRELIMINARY if issue == Issue.INTERIM else ReportStatus.FINAL
    if last is None:
        return replace(draft, status=coded(status))
    replaced = ReplacedInterim(last.version, last.content_sha256, last.issued_at)
    return replace(draft, version=last.version + 1, status=coded(status), replaces=replaced)


def _as_addition(draft: ReportContent, last: Report, reason: str) -> ReportContent:
    """Return what was signed with what the draft adds."""
    old = last.says
    draft = _with_old_source(draft, old)
    altered = [name for part, name in MUST_STAND.items() if _differs(old, draft, part)]
    more = replace(draft, pictures=_more_pictures(old, draft))
    altered += _shrunk(old, more)
    if altered:
        raise GuardFailed(
            f"An addition leaves what was signed as it is, but {', '.join(altered)} "
            f"{'differs' if len(altered) == 1 else 'differ'} from version {last.version}: "
            "issue a corrected report."
        )
    grown = replace(old, **{part: getattr(more, part) for part in MAY_GROW}, replaces=None)
    amendment = replace(_amendment(last, reason, tuple(_added(old, grown))), is_addition=True)
    return _following(grown, last, ReportStatus.APPENDED, amendment)


def _with_old_source(draft: ReportContent, old: ReportContent) -> ReportContent:
    """Return the draft with the white count's source as it was printed before analysers were."""
    was, white = old.white_count, draft.white_count
    if was is None or white is None or was.source != UNNAMED_ANALYSER:
        return draft
    return replace(draft, white_count=replace(white, source=was.source))


def _differs(old: ReportContent, new: ReportContent, part: str) -> bool:
    return bool(getattr(old, part) != getattr(new, part))


def _following(
    content: ReportContent, last: Report, status: ReportStatus, amendment: Amendment
) -> ReportContent:
    next_one = content.correcting(
        version=last.version + 1, status=coded(status), amendment=amendment
    )
    return replace(next_one, signature=None)


def _amendment(last: Report, reason: str, changes: tuple[Change, ...]) -> Amendment:
    return Amendment(
        supersedes_version=last.version,
        supersedes_sha256=last.content_sha256,
        superseded_at=last.issued_at,
        reason=reason,
        changes=changes,
    )


def _more_pictures(old: ReportContent, draft: ReportContent) -> tuple[CellPicture, ...]:
    """Return the printed pictures with those that were chosen beside them."""
    printed = {picture.cell_id for picture in old.pictures}
    more = (*old.pictures, *(item for item in draft.pictures if item.cell_id not in printed))
    if len(more) > MOST_PICTURES:
        raise GuardFailed(f"Choose at most {MOST_PICTURES} cell images, those printed included.")
    return more


def _shrunk(old: ReportContent, new: ReportContent) -> list[str]:
    """Return the names of growing parts of which something is gone or changed."""
    kept = {
        "Interpretation": _goes_on(old.interpretation, new.interpretation),
        "Consulted": new.consultations[: len(old.consultations)] == old.consultations,
        "Cell images": new.pictures[: len(old.pictures)] == old.pictures,
        "Critical results": _holds_calls(old.critical, new.critical),
    }
    return [name for name, is_kept in kept.items() if not is_kept]


def _goes_on(old: str, new: str) -> bool:
    """Say whether the text stands as it was, or goes on in a new paragraph."""
    return new == old or not old or new.startswith(f"{old}\n")


def _holds_calls(old: CriticalResults | None, new: CriticalResults | None) -> bool:
    if old is None or new is None:
        return old is None and (new is None or not new.results)
    return old.results == new.results and new.calls[: len(old.calls)] == old.calls


def _added(old: ReportContent, new: ReportContent) -> Iterator[Change]:
    text = new.interpretation[len(old.interpretation) :].strip()
    if text:
        yield Change("Interpretation", ABSENT, text)
    for person in new.consultations[len(old.consultations) :]:
        yield Change("Consulted", ABSENT, f"{person.name}, {moment(person.answered_at)}")
    calls = old.critical.calls if old.critical else ()
    for call in new.critical.calls[len(calls) :] if new.critical else ():
        yield Change("Calls about critical results", ABSENT, critical_call(call))
    if more := len(new.pictures) - len(old.pictures):
        yield Change("Cell images", ABSENT, f"{more} more")
