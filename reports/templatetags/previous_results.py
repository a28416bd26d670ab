"""The panels of earlier results, for pages of cases and of patients."""

import uuid
from typing import TYPE_CHECKING, Any

from django import template

from classifier.models import Case, Patient
from classifier.selectors.differential import Differential
from reports.history import history_of_results, panel_of_case
from reports.previous import list_results

if TYPE_CHECKING:
    from accounts.models import User

register = template.Library()

SHOWN_ON_A_PAGE = 6


@register.simple_tag(name="uuid")
def new_id() -> uuid.UUID:
    """Return an id by which a form sent twice is known."""
    return uuid.uuid4()


@register.inclusion_tag("reports/partials/_previous_results.html", takes_context=True)
def previous_results(
    context: dict[str, Any], case: Case, counted: Differential, user: "User"
) -> dict[str, Any]:
    """Show the case's result beside those of the patient's earlier reports."""
    given = {name: context.get(name, False) for name in ("is_editable", "is_fragment")}
    return panel_of_case(case, counted, user) | given


@register.inclusion_tag("reports/partials/_results_of_patient.html")
def results_of(patient: Patient, user: "User") -> dict[str, Any]:
    """Show the patient's signed results, the newest first."""
    history = history_of_results(list_results(patient, user=user))
    return {"history": history, "shown": SHOWN_ON_A_PAGE}
