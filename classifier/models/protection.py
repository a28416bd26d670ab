"""Database rules that no code of the application can go around."""

import pgtrigger
from django.db.models import CheckConstraint, Q


def disposed_says_why(name: str) -> CheckConstraint:
    """Return the rule that what was disposed of says by which rule."""
    return CheckConstraint(
        condition=Q(disposed_at=None, disposed_because="")
        | Q(disposed_at__isnull=False) & ~Q(disposed_because=""),
        name=f"{name}_disposed_says_why",
    )


APPEND_ONLY = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
NEVER_DELETED = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

HAS_STANDING_PATIENT = pgtrigger.Trigger(
    name="has_standing_patient",
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("patient_id"),
    when=pgtrigger.Before,
    declare=[("standing", "UUID")],
    func="""
        SELECT merged_into_id INTO standing
            FROM classifier_patient WHERE id = NEW.patient_id FOR KEY SHARE;
        IF standing IS NOT NULL THEN
            RAISE EXCEPTION 'The record of this patient was merged into another.'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,
)
"""No case hangs on a merged record; a merge that is under way is waited for."""
