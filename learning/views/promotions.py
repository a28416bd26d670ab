"""Putting a version in use, and rolling back: with a reason and the password."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.single_sign_on.confirming import kept, without_password
from classifier.exceptions import DomainError, NotPermitted
from classifier.views.access import MemberRequest, duty_required
from learning.forms import ProofForm
from learning.models import Promotion
from learning.selectors import registry
from learning.selectors.standing import version_before
from learning.services import promotions
from reports.exceptions import LockedOut, WrongPassword
from reports.services.reauthentication import Reauthentication, reauthenticate

READ = "view_worklist"
MANAGE = "manage_models"
REFUSED = 422


@duty_required(READ)
@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """List every promotion and rollback, the latest first."""
    made = Promotion.objects.select_related("version", "replaced", "approved_by")
    return render(request, "learning/promotions.html", {"promotions": made})


@duty_required(MANAGE)
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def promote(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what speaks for a candidate, and put it in use."""
    version = registry.get_version(request.user, pk)
    form = _proof_form(request)

    def act(proof: Reauthentication) -> None:
        promotions.promote(
            version_id=pk,
            reason=form.cleaned_data["reason"],
            actor=request.user,
            reauthentication=proof,
        )

    if form.is_valid() and _proven(request, form, act):
        messages.success(request, f"{version} is in use. Cases in flight keep what they began.")
        return redirect("learning:model", pk)
    context = {
        "version": version,
        "active": registry.version_in_use(),
        "grounds": promotions.grounds_for(version, request.user),
        "form": form,
    }
    status = REFUSED if form.is_bound else 200
    return render(request, "learning/promote.html", context, status=status)


@duty_required(MANAGE)
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def roll_back(request: MemberRequest) -> HttpResponse:
    """Put the version in use that was in use before."""
    active = registry.version_in_use()
    form = _proof_form(request)

    def act(proof: Reauthentication) -> None:
        promotions.roll_back(
            reason=form.cleaned_data["reason"], actor=request.user, reauthentication=proof
        )

    if form.is_valid() and _proven(request, form, act):
        messages.success(request, "Rolled back. Cases in flight keep what they began with.")
        return redirect("learning:models")
    former = version_before(active) if active else None
    context = {"active": active, "former": former, "form": form}
    status = REFUSED if form.is_bound else 200
    return render(request, "learning/roll_back.html", context, status=status)


def _proof_form(request: MemberRequest) -> ProofForm:
    """Return the form, with what was entered before it was left to confirm who it is."""
    form = ProofForm(request.POST or None, initial=(kept(request) or QueryDict()).dict())
    without_password(form, request)
    return form


def _proven(
    request: MemberRequest, form: ProofForm, act: Callable[[Reauthentication], None]
) -> bool:
    """Check the password, then act; say what went wrong at the form."""
    try:
        act(reauthenticate(request, request.user, form.cleaned_data.get("password", "")))
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except WrongPassword:
        form.add_error("password", "The password is not right. Nothing was changed.")
    except LockedOut:
        form.add_error("password", "Too many wrong passwords: your account is locked.")
    except DomainError as refusal:
        form.add_error(None, str(refusal))
    else:
        return True
    return False
