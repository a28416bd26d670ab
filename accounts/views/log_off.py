"""Pages on which administrators end sessions."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import open_sessions, policies, selectors
from accounts.exceptions import AccountError
from accounts.forms import ReasonForm
from accounts.models import User
from accounts.views.access import allowed_to, signed_in


@require_POST
@allowed_to(policies.can_manage_users)
def end_session(request: HttpRequest, pk: int, handle: str) -> HttpResponse:
    """End one session of a person."""
    account = get_object_or_404(selectors.list_users(), pk=pk)
    try:
        open_sessions.end_session(
            actor=signed_in(request),
            user=account,
            handle=handle,
            reason=request.POST.get("reason", ""),
        )
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The session has ended.")
    return redirect(account)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def log_off_everybody(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, and log everybody else off, with a reason."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ended = open_sessions.end_all_sessions(
            actor=signed_in(request), reason=form.cleaned_data["reason"]
        )
        messages.success(request, f"Everybody else is logged off; sessions ended: {ended}.")
        return redirect("accounts:log_off_everybody")
    people = {person.pk: person for person in User.objects.people().prefetch_related("groups")}
    sessions = [
        (people[each.user_id], each) for each in open_sessions.list_sessions(people.values())
    ]
    context = {"form": form, "sessions": sessions}
    return render(request, "accounts/log_off.html", context)
