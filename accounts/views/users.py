"""Pages on which administrators manage accounts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_tables2 import RequestConfig

from accounts import emergency, open_sessions, own_duties, policies, selectors, services
from accounts.enums import AccountState
from accounts.exceptions import AccountError
from accounts.filters import UserFilter
from accounts.forms import ConfirmationForm, DetailsForm, InvitationForm, ReasonForm, RoleForm
from accounts.lockout import locked_emails
from accounts.models import User
from accounts.single_sign_on import provider
from accounts.single_sign_on import services as single_sign_on
from accounts.tables import UserTable
from accounts.views.access import allowed_to, signed_in

_LINK = "administration_link"
_HISTORY_LENGTH = 25


@dataclass(frozen=True, slots=True)
class UserAction:
    """Something an administrator does to one account, and how its page puts it."""

    title: str
    explanation: str
    button: str
    done: str
    service: Callable[..., User | services.Invitation]
    form_class: type[forms.Form] | type[DetailsForm] = ConfirmationForm
    tone: str = "primary"
    states: frozenset[AccountState] = field(default_factory=lambda: frozenset(AccountState))


_INVITED = frozenset({AccountState.INVITED})
_ACTIVE = frozenset({AccountState.ACTIVE})
_CLOSED = frozenset({AccountState.DEACTIVATED})
_OPEN = _INVITED | _ACTIVE

USER_ACTIONS = {
    "details": UserAction(
        "Correct name",
        "Reports signed from now on carry the new name; those already signed stay as they are.",
        "Save",
        "The name has been corrected.",
        services.change_details,
        DetailsForm,
    ),
    "role": UserAction(
        "Change role",
        "The role decides what this person may see and do. All their sessions end.",
        "Change role",
        "The role has been changed.",
        services.change_role,
        RoleForm,
        states=_OPEN,
    ),
    "renew": UserAction(
        "Renew invitation",
        "This makes a new one-time link. The earlier link stops working.",
        "Renew invitation",
        "The invitation has been renewed.",
        services.renew_invitation,
        states=_INVITED,
    ),
    "unlock": UserAction(
        "Unlock",
        "This forgets the failed sign-ins. Make sure that it was the account's owner who failed.",
        "Unlock",
        "The account is unlocked.",
        services.unlock_user,
        states=_ACTIVE,
    ),
    "password-link": UserAction(
        "Make password link",
        "For somebody who forgot the password. The link works once, for a day; hand it only to "
        "the account's owner.",
        "Make link",
        "The link has been made.",
        services.issue_password_link,
        states=_ACTIVE,
    ),
    "new-password": UserAction(
        "Require a new password",
        "All sessions end, and nothing else works before the password has been changed.",
        "Require a new password",
        "A new password is required at the next sign-in.",
        services.require_new_password,
        ReasonForm,
        states=_ACTIVE,
    ),
    "remove-factor": UserAction(
        "Remove second factor",
        "For somebody who lost it and has proved who they are. All their sessions end, and they "
        "are told by mail. Where the rules demand a second factor, they set up a new one first.",
        "Remove second factor",
        "The second factor has been removed.",
        services.remove_second_factor,
        ReasonForm,
        "danger",
        _ACTIVE,
    ),
    "log-off": UserAction(
        "Log off everywhere",
        "All sessions end at once, with what was not saved. The account stays open: its owner may "
        "sign in again.",
        "Log off everywhere",
        "All sessions of this account have ended.",
        open_sessions.end_sessions,
        ReasonForm,
        "danger",
        _ACTIVE,
    ),
    "disconnect": UserAction(
        "Disconnect single sign-on",
        "The identity provider opens this account no more, and all sessions end. Its owner may "
        "connect it again.",
        "Disconnect",
        "The account is disconnected from the identity provider.",
        single_sign_on.disconnect,
        ReasonForm,
        "danger",
        _OPEN,
    ),
    "emergency": UserAction(
        "Make an emergency account",
        "It stays open with password and second factor when the identity provider fails or "
        "passwords are closed. Each use asks for a reason and alarms those who manage accounts. "
        "Best an account of its own, whose password lies in a safe.",
        "Make an emergency account",
        "This is an emergency account now.",
        emergency.mark,
        ReasonForm,
        states=_ACTIVE,
    ),
    "no-emergency": UserAction(
        "No emergency account any more",
        "It becomes an ordinary account.",
        "Make it ordinary",
        "This is no emergency account any more.",
        emergency.unmark,
        ReasonForm,
        states=_OPEN,
    ),
    "deactivate": UserAction(
        "Deactivate account",
        "Sign-in stops working and all sessions end at once. Name and signatures stay on every "
        "record.",
        "Deactivate account",
        "The account is deactivated.",
        services.deactivate_user,
        ReasonForm,
        "danger",
        _OPEN,
    ),
    "reactivate": UserAction(
        "Reactivate account",
        "The account works again with its role and password. Whoever never joined is invited "
        "again.",
        "Reactivate account",
        "The account is active again.",
        services.reactivate_user,
        ReasonForm,
        states=_CLOSED,
    ),
}


@require_safe
@allowed_to(policies.can_manage_users)
def user_list(request: HttpRequest) -> HttpResponse:
    """List accounts, by name, role and state."""
    accounts = UserFilter(request.GET, queryset=selectors.list_users())
    table = UserTable(accounts.qs, locked_emails=locked_emails())
    RequestConfig(request, paginate={"per_page": 50}).configure(table)
    query = request.GET.copy()
    query.pop("page", None)
    context = {"table": table, "filter": accounts, "query": query.urlencode()}
    return render(request, "accounts/user_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def user_invite(request: HttpRequest) -> HttpResponse:
    """Invite a person."""
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        try:
            invitation = services.invite_user(actor=signed_in(request), **form.cleaned_data)
        except AccountError as error:
            form.add_error(None, str(error))
        else:
            return _finish(request, invitation, "The account has been made.")
    return render(request, "accounts/user_invite.html", {"form": form})


@require_safe
@never_cache
@allowed_to(policies.can_manage_users)
def user_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an account, what can be done to it and what was; a new link is shown just once."""
    account = _account(pk)
    is_locked = selectors.is_locked(account)
    events = selectors.history_of(account)
    page = Paginator(events, _HISTORY_LENGTH).get_page(request.GET.get("page"))
    context = {
        "account": account,
        "is_locked": is_locked,
        "has_second_factor": selectors.has_second_factor(account),
        "actions": _offered_actions(signed_in(request), account, is_locked=is_locked),
        "entries": [selectors.describe(event) for event in page],
        "page": page,
        "link": request.session.pop(_LINK, None),
        "sessions": open_sessions.list_sessions([account]),
        "link_to_provider": single_sign_on.link_of(account),
        "own_duties": [duty for duty in own_duties.list_duties(account) if duty.exception],
    }
    return render(request, "accounts/user_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@allowed_to(policies.can_manage_users)
def user_action(request: HttpRequest, pk: int, action: str) -> HttpResponseBase:
    """Ask for what an action needs, then do it."""
    if action not in USER_ACTIONS:
        raise Http404
    account, chosen = _account(pk), USER_ACTIONS[action]
    form = _bound_form(chosen, account, request)
    if request.method == "POST" and form.is_valid():
        try:
            result = chosen.service(actor=signed_in(request), user=account, **form.cleaned_data)
        except AccountError as error:
            form.add_error(None, str(error))
        else:
            return _finish(request, result, chosen.done)
    account.refresh_from_db()
    context = {"account": account, "action": chosen, "form": form}
    return render(request, "accounts/user_action.html", context)


def _account(pk: int) -> User:
    return get_object_or_404(selectors.list_users(), pk=pk)


def _bound_form(action: UserAction, account: User, request: HttpRequest) -> Any:
    data = request.POST if request.method == "POST" else None
    if issubclass(action.form_class, forms.ModelForm):
        return action.form_class(data, instance=account)
    return action.form_class(data, initial={"role": account.role})


def _offered_actions(
    actor: User, account: User, *, is_locked: bool
) -> list[tuple[str, UserAction]]:
    """Return what makes sense for an account now; services refuse the rest anyway."""
    hidden = set() if is_locked else {"unlock"}
    if not selectors.has_second_factor(account):
        hidden.add("remove-factor")
    hidden.add("emergency" if account.is_emergency else "no-emergency")
    is_linked = single_sign_on.link_of(account) is not None
    hidden |= {"emergency"} if is_linked or not provider.is_configured() else set()
    hidden |= set() if is_linked else {"disconnect"}
    if emergency.is_closed_to(account):
        hidden |= {"password-link", "new-password"}
    if not policies.can_end_access(actor, account):
        hidden |= {"role", "deactivate"}
    return [
        (slug, action)
        for slug, action in USER_ACTIONS.items()
        if account.state in action.states and slug not in hidden
    ]


def _finish(
    request: HttpRequest, result: User | services.Invitation, sentence: str
) -> HttpResponse:
    """Go to the account; a link waits in the session to be shown there once."""
    if isinstance(result, services.Invitation):
        request.session[_LINK] = result.link
        result = result.user
    messages.success(request, sentence)
    return redirect(result)
