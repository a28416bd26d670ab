"""What a case page says of whose case it was, and which cases take the place of which."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classifier import policies
from classifier.models import Case, CaseOrigin, PatientCorrection
from classifier.services.registering_again import ENDED
from classifier.services.wrong_patients import BEFORE_SIGNING

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Story:
    """The latest correction of whose case it is, what it replaces, and what replaces it.

    Cases of patients whom the reader may not see are None. ``may_correct`` and
    ``may_register_again`` say what the reader may do about a wrong patient now.
    """

    correction: PatientCorrection | None
    origin: CaseOrigin | None
    source: Case | None
    successor: Case | None
    may_correct: bool
    may_register_again: bool


def story_of(user: "User", case: Case) -> Story:
    """Return what is known of whose case it is; of a case as `intake.get_case` gives it."""
    origin: CaseOrigin | None = getattr(case, "origin", None)
    again: CaseOrigin | None = getattr(case, "registered_again", None)
    may = policies.can_correct_patient(user, case)
    visible = Case.objects.visible_to(user)
    corrections = case.patient_corrections.select_related("corrected_by")
    return Story(
        correction=corrections.first(),
        origin=origin,
        source=visible.filter(pk=origin.source_id).first() if origin else None,
        successor=visible.filter(pk=again.case_id).first() if again else None,
        may_correct=may and case.status in BEFORE_SIGNING,
        may_register_again=may and again is None and case.status in ENDED,
    )
