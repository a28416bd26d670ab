"""The worklist: what waits for whom, most urgent first."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from classifier import accession, policies
from classifier.enums import UNFINISHED, CaseStatus, ReviewOutcome
from classifier.models import Case, Cell, CriticalAlert, Laboratory, Review, SmearImage
from classifier.querysets import CaseQuerySet, priority_rank
from classifier.selectors import intake
from classifier.selectors.critical import Timer, timer_of

if TYPE_CHECKING:
    from accounts.models import User

RECENT = timedelta(days=7)
# An accession number as printed on a label, perhaps with the number of a slide behind it.
LABEL = re.compile(r"(?P<number>[A-Z]{2}\d{2}-?\d{6}[0-9A-Z*])(-\d{1,2})?")

WITH_REVIEWER = (CaseStatus.IN_REVIEW, CaseStatus.AMENDING)
TO_REVIEW = (CaseStatus.AWAITING_REVIEW, *WITH_REVIEWER)


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of the worklist, with what to say when it is empty."""

    key: str
    label: str
    empty_title: str
    empty_text: str


@dataclass(frozen=True, slots=True)
class CountedTab:
    """A view and how many cases it holds."""

    tab: Tab
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One case of the list. `referred` counts the cells that wait for a human's decision.

    `timer` runs while somebody has to be told a critical result. Of a case that `is_hidden`,
    as its record is restricted, nothing else is shown.
    """

    case: Case
    images: int
    referred: int
    reviewer: str
    is_mine: bool
    can_open: bool
    is_critical: bool
    is_hidden: bool
    timer: Timer | None

    @property
    def waiting_since(self) -> datetime:
        """When the clock of the case started."""
        return self.case.registered_at


TABS: Mapping[str, Tab] = {
    tab.key: tab
    for tab in (
        Tab(
            "review",
            "To review",
            "Nothing waits for review",
            "Cases appear here as soon as they are classified.",
        ),
        Tab(
            "critical",
            "Critical",
            "Nothing is critical",
            "Cases with a result beyond the laboratory's critical limits, until they are signed.",
        ),
        Tab(
            "mine",
            "Mine",
            "You have no case open",
            "A case is yours from opening it until you sign, release or return it.",
        ),
        Tab("drafts", "Drafts", "No drafts", "Cases that are registered and not yet submitted."),
        Tab(
            "returned",
            "Returned",
            "No case was returned",
            "Cases that a pathologist sent back, with the reason.",
        ),
        Tab(
            "classifying",
            "In classification",
            "Nothing is being classified",
            "Submitted cases stay here for the seconds that the classifier needs.",
        ),
        Tab("failed", "Failed", "No failures", "Cases with images that could not be classified."),
        Tab(
            "signed",
            "Recently signed",
            "Nothing was signed in the last seven days",
            "Older cases are found with the search.",
        ),
    )
}
REVIEWER_TABS = ("review", "critical", "mine", "classifying", "failed", "returned", "signed")
TECHNICIAN_TABS = ("drafts", "returned", "classifying", "failed", "review", "critical", "signed")
READER_TABS = ("review", "critical", "classifying", "failed", "returned", "signed")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanned or typed text turned out to be: a case, a mistake, or neither."""

    case: Case | None = None
    problem: str = ""
    is_restricted: bool = False


def tabs_for(user: "User") -> tuple[str, ...]:
    """Return the views that help this person, the first one opening by itself."""
    if user.has_perm("accounts.review_case"):
        return REVIEWER_TABS
    return TECHNICIAN_TABS if user.has_perm("accounts.submit_case") else READER_TABS


def count_tabs(user: "User") -> list[CountedTab]:
    """Count the person's views in one query."""
    current = Q(status__in=UNFINISHED) | _signed_lately()
    counts = (
        _annotated(user)
        .filter(current)
        .aggregate(**{key: Count("pk", filter=_condition(key)) for key in tabs_for(user)})
    )
    return [CountedTab(TABS[key], counts[key]) for key in tabs_for(user)]


def list_cases(user: "User", tab: str) -> CaseQuerySet:
    """Return a view's cases, the most urgent first; signed ones, latest first.

    On top stand critical results that were passed on, then STAT cases and so on; within one
    priority those of which somebody must still be told, then by waiting time.
    """
    cases = _annotated(user).filter(_condition(tab)).select_related("patient", "signed_by")
    if tab == "signed":
        return cases.order_by("-signed_at")
    ranked: CaseQuerySet = cases.annotate(urgency=priority_rank()).order_by(
        "-is_escalated", "urgency", "-is_untold", "registered_at"
    )
    return ranked


def describe_cases(user: "User", cases: Sequence[Case]) -> list[Row]:
    """Return the rows of one page; the number of queries doesn't grow with it."""
    ids = [case.pk for case in cases]
    images = Counter(SmearImage.objects.filter(case__in=ids).values_list("case_id", flat=True))
    left = Cell.objects.filter(image__case__in=ids).unresolved().order_by()
    referred = Counter(left.values_list("image__case_id", flat=True))
    holders = {
        review.case_id: review.reviewer
        for review in Review.objects.filter(case__in=ids, completed_at=None).select_related(
            "reviewer"
        )
    }
    laboratory = Laboratory.current()
    open_alerts = CriticalAlert.objects.filter(case__in=ids, closed_at=None)
    alerts = {alert.case_id: alert for alert in open_alerts}
    return [
        Row(
            case=case,
            images=images[case.pk],
            referred=referred[case.pk] if case.status in TO_REVIEW else 0,
            reviewer=holders[case.pk].full_name if case.pk in holders else "",
            is_mine=case.pk in holders and holders[case.pk] == user,
            can_open=case.status == CaseStatus.AWAITING_REVIEW
            and policies.can_open_review(user, case),
            is_critical=case.pk in alerts,
            is_hidden=getattr(case, "is_hidden", False),
            timer=timer_of(alerts[case.pk], laboratory) if case.pk in alerts else None,
        )
        for case in cases
    ]


def resolve_scan(user: "User", text: str) -> Scan:
    """Recognise a full accession number, tell a wrong one plainly, leave other text alone."""
    label = LABEL.fullmatch(text.strip().upper())
    if not label:
        return Scan()
    number = label["number"]
    if not accession.is_well_formed(number):
        return Scan(
            problem=f"{number} is not an accession number: its check character is wrong. "
            "Scan the label again, or compare what you typed."
        )
    case = intake.find_by_accession(user, number)
    if case is None and (closed := intake.find_restricted(user, number)):
        return Scan(closed, is_restricted=True)
    return Scan(case) if case else Scan(problem=f"There is no case {number} here.")


def _annotated(user: "User") -> CaseQuerySet:
    returned = Review.objects.filter(case=OuterRef("pk"), outcome=ReviewOutcome.RETURNED)
    mine = Review.objects.filter(case=OuterRef("pk"), reviewer=user, completed_at=None)
    alerts = CriticalAlert.objects.filter(case=OuterRef("pk"), closed_at=None)
    untold = alerts.filter(waiting_since__isnull=False)
    cases: CaseQuerySet = Case.objects.listed_for(user).annotate(
        was_returned=Exists(returned),
        is_held=Exists(mine),
        is_critical=Exists(alerts),
        is_untold=Exists(untold),
        is_escalated=Exists(untold.filter(escalated_at__gte=F("waiting_since"))),
    )
    return cases


def _condition(tab: str) -> Q:
    conditions = {
        "review": Q(status__in=TO_REVIEW),
        "critical": Q(status__in=UNFINISHED, is_critical=True),
        "mine": Q(status__in=WITH_REVIEWER, is_held=True),
        "drafts": Q(status=CaseStatus.REGISTERED, was_returned=False),
        "returned": Q(status=CaseStatus.REGISTERED, was_returned=True),
        "classifying": Q(status=CaseStatus.IN_CLASSIFICATION),
        "failed": Q(status=CaseStatus.CLASSIFICATION_FAILED),
        "signed": _signed_lately(),
    }
    return conditions[tab]


def _signed_lately() -> Q:
    return Q(status=CaseStatus.SIGNED_OFF, signed_at__gte=timezone.now() - RECENT)
