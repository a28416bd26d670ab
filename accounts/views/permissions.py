"""Pages on which administrators see who may do what, and change it for one person."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import own_duties, policies, selectors
from accounts.enums import Role
from accounts.exceptions import AccountError
from accounts.forms import DutyForm
from accounts.models import DutyException, User
from accounts.roles import DUTIES, DUTY_OPENS, ROLE_DUTIES
from accounts.views.access import allowed_to, signed_in


@require_safe
@allowed_to(policies.can_manage_users)
def matrix(request: HttpRequest) -> HttpResponse:
    """Show each duty by role with what it opens, and whoever has more or less than their role."""
    rows = [
        (sentence, DUTY_OPENS.get(duty, ""), [(r.label, duty in ROLE_DUTIES[r]) for r in Role])
        for duty, sentence in DUTIES.items()
    ]
    people = ("user", "decided_by", "ended_by")
    own = DutyException.objects.select_related(*people).prefetch_related("user__groups")
    context = {
        "roles": [role.label for role in Role],
        "rows": rows,
        "in_force": [_named(each) for each in own.in_force()],
        "past": [_named(each) for each in own.over()[:50]],
    }
    return render(request, "accounts/permissions.html", context)


def _named(exception: DutyException) -> tuple[DutyException, str]:
    return exception, DUTIES.get(exception.duty, exception.duty)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def user_duties(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one person's duties; give one beyond the role, or withhold one."""
    account = get_object_or_404(selectors.list_users(), pk=pk)
    give, withhold = _forms(request, account)
    for form in (give, withhold):
        if form.is_bound and form.is_valid() and _set(request, account, form):
            return redirect("accounts:user_duties", pk)
    context = {
        "account": account,
        "duties": own_duties.list_duties(account),
        "past": [
            _named(each)
            for each in account.duty_exceptions.over().select_related("decided_by", "ended_by")
        ],
        "give": give,
        "withhold": withhold,
        "is_own": account.pk == signed_in(request).pk,
    }
    return render(request, "accounts/user_duties.html", context)


def _forms(request: HttpRequest, account: User) -> tuple[DutyForm, DutyForm]:
    """Return the form of giving and that of withholding; the one that was sent is bound."""
    forms = []
    for name, is_granted in (("give", True), ("withhold", False)):
        choices = [
            (duty, sentence)
            for duty, sentence in DUTIES.items()
            if not own_duties.why_not(account, duty, is_granted=is_granted)
        ]
        data = request.POST if request.POST.get("change") == name else None
        forms.append(DutyForm(data, duties=choices, auto_id=f"{name}_%s"))
    return forms[0], forms[1]


def _set(request: HttpRequest, account: User, form: DutyForm) -> bool:
    is_granted = request.POST["change"] == "give"
    try:
        own_duties.set_exception(
            actor=signed_in(request),
            user=account,
            duty=form.cleaned_data["duty"],
            is_granted=is_granted,
            reason=form.cleaned_data["reason"],
            expires_at=form.expires_at,
        )
    except AccountError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, "The duty is given." if is_granted else "The duty is withheld.")
    return True


@require_POST
@allowed_to(policies.can_manage_users)
def end_exception(request: HttpRequest, pk: int, exception_pk: int) -> HttpResponse:
    """Let the role alone decide about a duty of a person again."""
    exception = get_object_or_404(DutyException, pk=exception_pk, user=pk)
    try:
        own_duties.end_exception(
            actor=signed_in(request), exception=exception, reason=request.POST.get("reason", "")
        )
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The role alone decides about this duty again.")
    return redirect("accounts:user_duties", pk)
