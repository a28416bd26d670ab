"""The laboratory's settings: letterhead, how many cells to count, factors."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from classifier.laboratory_forms import LaboratoryForm
from classifier.models import Laboratory
from classifier.services.laboratory import change_laboratory
from classifier.views.access import MemberRequest, duty_required


@duty_required("manage_laboratory")
@require_http_methods(["GET", "POST"])
def settings(request: MemberRequest) -> HttpResponse:
    """Show the settings and store what was changed."""
    form = LaboratoryForm(request.POST or None, instance=Laboratory.current())
    if request.method == "POST" and form.is_valid():
        change_laboratory(actor=request.user, values=form.cleaned_data)
        messages.success(request, "The laboratory's settings were saved.")
        return redirect("classifier:laboratory")
    status = 422 if form.errors else 200
    return render(request, "classifier/laboratory.html", {"form": form}, status=status)
