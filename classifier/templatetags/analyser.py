"""What analysers sent of a case, for its pages."""

from typing import Any

from django import template
from django.template import Context

from classifier.enums import Analyte, CaseStatus
from classifier.models import Case
from classifier.selectors.analyser import current_results, list_late_results, list_results

register = template.Library()


@register.inclusion_tag("classifier/partials/_analyser_results.html", takes_context=True)
def analyser_results(context: Context, case: Case) -> dict[str, Any]:
    """Show the values in use, all others, and those too late for the signed report."""
    results = list_results(case)
    in_use = current_results(results)
    chosen = {item.pk for item in in_use.values()}
    return {
        "used": [in_use[name] for name in Analyte.values if name in in_use],
        "others": [item for item in results if item.pk not in chosen],
        "differential": context.get("differential"),
        "critical": context.get("critical"),
        "late": list_late_results(results),
        "case": case,
        "may_take": context.get("is_editable") and case.status == CaseStatus.AMENDING,
        "csrf_token": context.get("csrf_token"),
    }
