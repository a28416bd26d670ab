"""Pictures of a referred case, marked for outside readers; no browser or proxy keeps them."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from classifier.models import Cell, SmearImage
from classifier.views.access import MemberRequest, duty_required
from consultation import pictures, policies
from consultation.models import Referral
from consultation.selectors.consultations import get_cell, get_consultation, get_field
from consultation.services.reading import record_view
from ml.errors import ImageRejected
from vault.exceptions import Disposed

Subject = TypeVar("Subject", Cell, SmearImage)


@duty_required("give_opinion")
@require_GET
def cell_thumbnail(request: MemberRequest, pk: uuid.UUID, cell_pk: uuid.UUID) -> HttpResponse:
    """Return the small picture of a cell; looking at them is looking at the case."""
    referral = get_consultation(request.user, pk)
    cell = get_cell(referral, cell_pk)
    record_view(referral=referral, actor=request.user)
    return _send(request, referral, pictures.small_cell, cell)


@duty_required("give_opinion")
@require_GET
def cell(request: MemberRequest, pk: uuid.UUID, cell_pk: uuid.UUID) -> HttpResponse:
    """Return a cell in full; the audit trail keeps that it was looked at."""
    referral = get_consultation(request.user, pk)
    found = get_cell(referral, cell_pk)
    record_view(referral=referral, actor=request.user, picture=found)
    return _send(request, referral, pictures.large_cell, found)


@duty_required("give_opinion")
@require_GET
def field(request: MemberRequest, pk: uuid.UUID, image_pk: uuid.UUID) -> HttpResponse:
    """Return a field in full; the audit trail keeps that it was looked at."""
    referral = get_consultation(request.user, pk)
    image = get_field(referral, image_pk)
    record_view(referral=referral, actor=request.user, picture=image)
    return _send(request, referral, pictures.field, image)


def _send(
    request: MemberRequest,
    referral: Referral,
    make: Callable[[Subject, pictures.Mark | None], bytes],
    subject: Subject,
) -> HttpResponse:
    is_outside = not policies.sees_case_itself(request.user, referral.case)
    mark = pictures.mark_for(referral, request.user) if is_outside else None
    try:
        data = make(subject, mark)
    except Disposed:
        raise
    except (OSError, ImageRejected) as error:
        raise Http404 from error
    response = HttpResponse(data, content_type=pictures.CONTENT_TYPE)
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline"
    return response
