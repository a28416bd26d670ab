"""Images of a case: send one or an archive of them, list, fetch, remove before submission."""

import uuid
from typing import Any

from django.conf import settings
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.problems import Problem, ProblemRaised
from api.services.archives import FileOutcome, add_archive
from api.shapes.images import ArchiveOutcome, ImageList, ImageShape, NewArchive, NewImage, ReadImage
from api.v1.base import ApiView, TokenRequest, as_plain
from api.v1.describing import posts, problems, reads
from api.v1.once import once
from classifier.exceptions import ImageRefused
from classifier.models import Case
from classifier.selectors import intake
from classifier.services.images import add_image, remove_image
from vault.storage import refuse_disposed

TAG = "Images"
FORM_OVERHEAD = 64 * 1024
"""Bytes that a multipart body may add to its file."""


class CaseImages(ApiView):
    """The images of a case."""

    scopes = {"GET": Scope.CASES_READ, "POST": Scope.IMAGES_WRITE}
    parser_classes = [MultiPartParser]
    most_bytes = settings.MAX_UPLOAD_BYTES + FORM_OVERHEAD

    @reads(ImageList, tag=TAG, summary="List the images of a case", operation_id="list_images")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return the images in the order of upload, and how far each is."""
        case = intake.get_case(request.user, pk)
        return Response(ImageList({"results": intake.case_images(case)}).data)

    @posts({"multipart/form-data": NewImage}, ImageShape, tag=TAG, summary="Send one image",
           status=201, operation_id="add_image")  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Add one picture to a registered case.

        It is decoded, freed of metadata and judged; `advice` says what to do better in another
        picture. 409 if the case holds the picture already, 422 if it can't become an image.
        """
        case = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
        sent = read_form(request, NewImage)
        image = add_image(
            case_id=case.pk,
            actor=request.user,
            data=sent["file"].read(),
            file_name=sent["file"].name,
            kind=sent.get("kind", ""),
        )
        where = reverse("api:v1:image", args=[image.pk])
        return Response(ImageShape(image).data, status=201, headers={"Location": where})


class CaseArchive(ApiView):
    """Many images at once."""

    scopes = {"POST": Scope.IMAGES_WRITE}
    parser_classes = [MultiPartParser]
    most_bytes = settings.API_MAX_ARCHIVE_BYTES + FORM_OVERHEAD

    @posts({"multipart/form-data": NewArchive}, ArchiveOutcome, tag=TAG, status=201,
           summary="Send a ZIP archive of images", operation_id="add_archive")  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Add each picture of an archive to a registered case; one bad file loses no other.

        201 if at least one was stored; each file's outcome stands in `outcomes`. If none was,
        the problem (422) carries the same outcomes.
        """
        case = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
        sent = read_form(request, NewArchive)
        found = add_archive(
            case_id=case.pk, actor=request.user, file=sent["file"], kind=sent.get("kind", "")
        )
        told = as_plain(ArchiveOutcome(describe_outcomes(found)).data)
        if not told["stored"]:
            detail = "None of the archive's files could become an image."
            raise ProblemRaised(Problem(422, "nothing-stored", detail, more=told))
        return Response(told, status=201)


class OneImage(ApiView):
    """An image."""

    scopes = {"GET": Scope.CASES_READ, "DELETE": Scope.IMAGES_WRITE}

    @reads(ReadImage, tag=TAG, summary="Read an image's facts", operation_id="read_image")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return what is known of an image."""
        image = intake.get_image(request.user, pk)
        found = intake.case_images(image.case).get(pk=image.pk)
        return Response(ReadImage(found).data)

    @extend_schema(
        tags=[TAG],
        summary="Remove an image",
        operation_id="remove_image",
        responses={204: OpenApiResponse(description="It is gone."), **problems(404, 409)},
    )
    def delete(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Take an image out of a case that is not submitted yet; the trail keeps its hash."""
        image = intake.get_image(request.user, pk)
        remove_image(image=image, actor=request.user)
        return Response(status=204)


class ImageFile(ApiView):
    """The picture itself."""

    scopes = {"GET": Scope.CASES_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch an image",
        operation_id="fetch_image",
        responses={(200, "image/png"): OpenApiTypes.BINARY, **problems(404, 410)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID) -> FileResponse:
        """Return the picture as PNG, lossless and without metadata."""
        image = intake.get_image(request.user, pk)
        record_read(actor=request.user, patient=image.case.patient)
        refuse_disposed(image)
        return FileResponse(image.file.open("rb"), content_type="image/png")


def read_form(request: TokenRequest, shape: Any) -> dict[str, Any]:
    """Return the parts of a form in their shape.

    Raises:
        ValidationError: it has another shape.
    """
    form = shape(data=request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def describe_outcomes(found: list[FileOutcome]) -> dict[str, Any]:
    """Return what became of an archive's files, in numbers and one by one."""
    outcomes = [
        {"name": one.name, "image": one.image, "problem": _as_refusal(one.problem)} for one in found
    ]
    stored = sum(one.image is not None for one in found)
    return {"stored": stored, "refused": len(found) - stored, "outcomes": outcomes}


def _as_refusal(problem: ImageRefused | None) -> dict[str, str] | None:
    return None if problem is None else {"code": problem.code, "detail": str(problem)}
