"""Choosing which notices come how."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.enums import Role
from accounts.views.access import allowed_to, signed_in
from notifications import policies
from notifications.kinds import KINDS
from notifications.selectors import (
    Ways,
    count_failed_mails,
    list_own_choices,
    list_role_choices,
)
from notifications.services.choosing import choose_for_role, choose_own, forget_own


@login_required
@require_http_methods(["GET", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Show and keep the person's own choice."""
    user = signed_in(request)
    if request.method == "POST":
        choose_own(user=user, wanted=_wanted(request.POST, ""))
        messages.success(request, "Your choice of notices is kept.")
        return redirect("notifications:choices")
    choices = list_own_choices(user)
    context = {
        "choices": choices,
        "has_own": any(choice.is_own for choice in choices),
        "mail_works": settings.MAIL_IS_CONFIGURED,
    }
    return render(request, "notifications/choices.html", context)


@login_required
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Go back to what the laboratory has set for the person's role."""
    forget_own(user=signed_in(request))
    messages.success(request, "You get the notices that the laboratory has set for your role.")
    return redirect("notifications:choices")


@allowed_to(policies.can_choose_for_roles)
@require_http_methods(["GET", "POST"])
def roles(request: HttpRequest) -> HttpResponse:
    """Show and keep what holds for each role."""
    concerned = [role for role in Role if list_role_choices(role)]
    if request.method == "POST":
        for role in concerned:
            wanted = _wanted(request.POST, f"{role}.")
            choose_for_role(role=role, actor=signed_in(request), wanted=wanted)
        messages.success(request, "The notices of the roles are kept.")
        return redirect("notifications:roles")
    context = {
        "roles": [(role, list_role_choices(role)) for role in concerned],
        "mail_works": settings.MAIL_IS_CONFIGURED,
        "failed": count_failed_mails(),
    }
    return render(request, "notifications/roles.html", context)


def _wanted(form: QueryDict, prefix: str) -> dict[str, Ways]:
    """Read the boxes of the kinds that the form showed."""
    shown = set(form.getlist(f"{prefix}kind"))
    return {
        name: Ways(f"{prefix}{name}.in_app" in form, f"{prefix}{name}.by_mail" in form)
        for name in KINDS
        if name in shown
    }
