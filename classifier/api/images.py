"""Upload endpoint: one image a request, JSON back."""

import uuid
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.enums import ImageKind
from classifier.exceptions import DomainError, ImageRefused, NotPermitted
from classifier.models import SmearImage
from classifier.selectors import intake
from classifier.services.images import add_image

if TYPE_CHECKING:
    from accounts.models import User

FORM_OVERHEAD = 64 * 1024
"""Bytes that a multipart body may add to its file."""


class MayUpload(BasePermission):
    """Whoever holds the duty to upload images."""

    message = "Your role may not upload images."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user.has_perm("accounts.upload_image"))


class TooLarge(APIException):
    """The body is larger than any file may be; it is refused unread."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        limit = settings.MAX_UPLOAD_BYTES // 1024**2
        super().__init__({"code": "too_large", "detail": f"The file is larger than {limit} MB."})


class UploadSerializer(serializers.Serializer[dict[str, Any]]):
    """One file, and what it shows if the sender knows."""

    file = serializers.FileField(allow_empty_file=True, max_length=1000)
    kind = serializers.ChoiceField(choices=ImageKind.choices, required=False, default="")


class CaseImages(APIView):
    """Images of a case that is being prepared."""

    permission_classes = [MayUpload]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse an oversized body by its declared length, before anything reads it."""
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length > settings.MAX_UPLOAD_BYTES + FORM_OVERHEAD:
            raise TooLarge
        super().initial(request, *args, **kwargs)

    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Add one image: 201 with what was stored, 422 with the reason for refusing it."""
        actor = cast("User", request.user)  # the permission let nobody else in
        case = intake.get_case(actor, pk)
        form = UploadSerializer(data=request.data)
        if not form.is_valid():
            return _refusal("no_file", "No file arrived.", status.HTTP_400_BAD_REQUEST)
        file = form.validated_data["file"]
        if file.size > settings.MAX_UPLOAD_BYTES:
            raise TooLarge
        try:
            image = add_image(
                case_id=case.pk,
                actor=actor,
                data=file.read(),
                file_name=file.name,
                kind=form.validated_data["kind"],
            )
        except ImageRefused as refusal:
            code = status.HTTP_422_UNPROCESSABLE_ENTITY
            return _refusal(refusal.code, str(refusal), code)
        except NotPermitted as refusal:
            return _refusal("not_permitted", str(refusal), status.HTTP_403_FORBIDDEN)
        except DomainError as refusal:
            return _refusal("closed", str(refusal), status.HTTP_409_CONFLICT)
        return Response(_described(image), status=status.HTTP_201_CREATED)


def _refusal(code: str, detail: str, http_status: int) -> Response:
    return Response({"code": code, "detail": detail}, status=http_status)


def _described(image: SmearImage) -> dict[str, Any]:
    return {
        "id": str(image.pk),
        "name": image.original_name,
        "kind": image.kind,
        "width": image.width,
        "height": image.height,
        "sha256": image.original_sha256,
        "notes": image.notes,
        "advice": image.advice,
        "image": reverse("classifier:image", args=[image.pk]),
        "thumbnail": reverse("classifier:thumbnail", args=[image.pk]),
    }
