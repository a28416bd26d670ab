"""Slide endpoints: start or take up an upload, send its parts, take a field from the viewer."""

import uuid
from typing import Any, cast

from django.http import Http404
from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from classifier.api.boxes import BoxField
from classifier.api.images import MayUpload
from classifier.exceptions import (
    DomainError,
    GuardFailed,
    ImageRefused,
    NotPermitted,
    PartOutOfPlace,
    SlideRefused,
)
from classifier.models import Slide
from classifier.selectors import intake
from classifier.selectors.slides import get_slide
from classifier.services import slide_uploads, slides

STATUS_OF: dict[type[DomainError], int] = {
    NotPermitted: status.HTTP_403_FORBIDDEN,
    GuardFailed: status.HTTP_422_UNPROCESSABLE_ENTITY,
    ImageRefused: status.HTTP_422_UNPROCESSABLE_ENTITY,
    SlideRefused: status.HTTP_422_UNPROCESSABLE_ENTITY,
}
STATUS_OF_CODE = {
    "too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "no_room": status.HTTP_507_INSUFFICIENT_STORAGE,
    "quota": status.HTTP_429_TOO_MANY_REQUESTS,
}


class FileSerializer(serializers.Serializer[dict[str, Any]]):
    """A file that somebody wants to send."""

    name = serializers.CharField(max_length=1000)
    size = serializers.IntegerField(min_value=0, max_value=2**60)
    modified = serializers.IntegerField(min_value=-(2**60), max_value=2**60, default=0)


class OfferSerializer(serializers.Serializer[dict[str, Any]]):
    """The files of one slide."""

    files = FileSerializer(many=True, allow_empty=False)


class FieldSerializer(serializers.Serializer[dict[str, Any]]):
    """A region of the slide, in its pixels."""

    box = BoxField()


class SlideView(APIView):
    """An endpoint whose refusals are sentences."""

    permission_classes = [MayUpload]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal with its code and sentence, and with the byte that is expected next."""
        if isinstance(exc, PartOutOfPlace):
            body = {"code": "offset", "detail": str(exc), "expected": exc.expected}
            return Response(body, status=status.HTTP_409_CONFLICT)
        if not isinstance(exc, DomainError):
            return super().handle_exception(exc)
        code = getattr(exc, "code", "not_permitted" if isinstance(exc, NotPermitted) else "refused")
        usual = STATUS_OF.get(type(exc), status.HTTP_409_CONFLICT)
        return Response({"code": code, "detail": str(exc)}, STATUS_OF_CODE.get(code, usual))


class CaseSlides(SlideView):
    """Slides of a case that is being prepared."""

    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Start an upload, or take up one that broke off; the answer says where to go on."""
        actor = _actor(request)
        case = intake.get_case(actor, pk)
        form = OfferSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        offered = [slide_uploads.OfferedFile(**file) for file in form.validated_data["files"]]
        slide = slide_uploads.start_upload(case_id=case.pk, actor=actor, files=offered)
        return Response(_described(slide), status=status.HTTP_201_CREATED)


class SlidePart(SlideView):
    """The parts of a slide's files."""

    parser_classes = []

    def put(self, request: Request, pk: uuid.UUID, number: int) -> Response:
        """Append the body; 409 with the byte expected next if it isn't the one at `offset`."""
        actor = _actor(request)
        slide = get_slide(actor, pk)
        file = slide_uploads.append_part(
            slide=slide, number=number, offset=_offset(request), data=_body(request), actor=actor
        )
        if file is None:
            raise Http404
        return Response({"received": file.received, "size": file.size})


class SlideFields(SlideView):
    """Fields that a technician chooses in the viewer."""

    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Take a region as a field of the case."""
        actor = _actor(request)
        slide = get_slide(actor, pk)
        form = FieldSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        image = slides.take_field(slide=slide, actor=actor, box=form.validated_data["box"])
        body = {
            "id": str(image.pk),
            "box": image.slide_box,
            "advice": image.advice,
            "image": reverse("classifier:image", args=[image.pk]),
        }
        return Response(body, status=status.HTTP_201_CREATED)


def _actor(request: Request) -> User:
    return cast("User", request.user)  # the permission let nobody else in


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "")
    if not text.isdecimal() or len(text) > 18:
        raise serializers.ValidationError({"offset": ["Say at which byte the part begins."]})
    return int(text)


def _body(request: Request) -> bytes:
    """Read the part; one that is longer than agreed, or was cut on its way, is refused."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= slide_uploads.PART_BYTES:
        limit = slide_uploads.PART_BYTES // 1024**2
        raise SlideRefused("too_large", f"Parts have at most {limit} MB.")
    data = cast("bytes", request.stream.read(length)) if request.stream else b""
    if len(data) != length:
        raise SlideRefused("cut", "The part did not arrive completely. Send it again.")
    return data


def _described(slide: Slide) -> dict[str, Any]:
    files = list(slide.files.all())
    return {
        "id": str(slide.pk),
        "part_bytes": slide_uploads.PART_BYTES,
        "files": [
            {
                "name": file.original_name,
                "size": file.size,
                "modified": file.modified,
                "received": file.received,
                "url": reverse("classifier:slide_part", args=[slide.pk, file.number]),
            }
            for file in files
        ],
    }
