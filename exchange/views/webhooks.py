"""The page on which administrators connect webhooks and see what became of each call."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from classifier.exceptions import GuardFailed
from classifier.views.access import MemberRequest, attempt, duty_required
from exchange.models import Webhook, WebhookDelivery
from exchange.selectors.webhooks import overview
from exchange.services import webhooks as services
from exchange.webhook_forms import WebhookForm
from exchange.webhooks.signing import secret_text

HERE = "webhooks:list"


@duty_required("manage_interfaces")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_list(request: MemberRequest) -> HttpResponse:
    """Show the webhooks, and add one: its secret is in the answer and nowhere else."""
    form = WebhookForm(request.POST or None, initial={"webhook_id": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        is_new = not Webhook.objects.filter(pk=form.cleaned_data["webhook_id"]).exists()
        try:
            webhook = services.add_webhook(actor=request.user, **form.cleaned_data)
        except GuardFailed as refusal:
            form.add_error(None, str(refusal))
        else:
            return _show_secret(request, webhook) if is_new else redirect(HERE)
    context = {"form": form, "overview": overview(request.user)}
    return render(request, "exchange/webhooks.html", context, status=422 if form.errors else 200)


@duty_required("manage_interfaces")
@never_cache
@require_POST
def renew(request: MemberRequest, pk: uuid.UUID, generation: int) -> HttpResponse:
    """Give a webhook another secret and show it once."""
    webhook = _find(request, pk)
    if webhook.generation != generation:
        messages.info(request, "The secret was renewed already.")
        return redirect(HERE)
    webhook = services.renew_secret(actor=request.user, webhook_id=pk, generation=generation)
    return _show_secret(request, webhook)


@duty_required("manage_interfaces")
@require_POST
def stop(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop a webhook."""
    webhook = _find(request, pk)
    services.set_active(actor=request.user, webhook_id=pk, is_active=False)
    messages.success(request, f"“{webhook.name}” is told nothing more until it is started again.")
    return redirect(HERE)


@duty_required("manage_interfaces")
@require_POST
def start(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Start a webhook again."""
    webhook = _find(request, pk)
    services.set_active(actor=request.user, webhook_id=pk, is_active=True)
    messages.success(request, f"“{webhook.name}” is told of reports again; what waited is sent.")
    return redirect(HERE)


@duty_required("manage_interfaces")
@require_POST
def replay(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue a delivery once more."""
    get_object_or_404(WebhookDelivery.objects.visible_to(request.user), pk=pk)
    attempt(
        request,
        services.send_again,
        actor=request.user,
        delivery_id=pk,
        success="It is sent again within seconds, under the same id.",
    )
    return redirect(HERE)


def _find(request: MemberRequest, pk: uuid.UUID) -> Webhook:
    return get_object_or_404(Webhook.objects.visible_to(request.user), pk=pk)


def _show_secret(request: MemberRequest, webhook: Webhook) -> HttpResponse:
    context = {"webhook": webhook, "secret": secret_text(webhook)}
    return render(request, "exchange/webhook_secret.html", context)
