"""Whole slides of a case: send them part by part, follow them, take fields, remove them."""

import uuid
from typing import Any, cast

from django.http import FileResponse, Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.images import ReadImage
from api.shapes.slides import (
    FieldOfSlide,
    FieldsWanted,
    NewKind,
    NewSlide,
    PartPlace,
    ReceivedShape,
    SlideList,
    SlideShape,
)
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import SENT, posts, problems, reads
from api.v1.once import once
from api.v1.reading import body, query
from classifier import slide_files
from classifier.exceptions import SlideRefused
from classifier.models import Slide
from classifier.selectors import intake
from classifier.selectors.slides import case_slides, get_slide
from classifier.services import slide_uploads, slides
from classifier.services.images import set_kind
from ml.errors import SlideRejected
from ml.slides.deepzoom import tile as read_tile
from vault.storage import refuse_disposed

TAG = "Slides"
NO_ROOM = {507: "The server has no room for this slide."}
FILES = {"files": [{"name": "smear.svs", "size": 734003200, "modified": 1772355600000}]}


class CaseSlides(ApiView):
    """The slides of a case."""

    scopes = {"GET": Scope.CASES_READ, "POST": Scope.IMAGES_WRITE}

    @reads(SlideList, tag=TAG, summary="List the slides of a case", operation_id="list_slides")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return the slides in the order of upload, and how far each is."""
        case = intake.get_case(request.user, pk)
        return Response(SlideList({"results": case_slides(case).prefetch_related("files")}).data)

    @posts(NewSlide, SlideShape, tag=TAG, summary="Begin to send a slide", status=201,
           operation_id="start_slide", example=FILES, refusals=NO_ROOM)  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Make room for a slide of one file, or of a DICOM series.

        An upload of the same files (name, size, `modified`) that broke off is taken up again:
        `received` says where each of them goes on. One of which nothing arrived for a day is gone.
        """
        form = body(request, NewSlide)
        case = intake.get_case(request.user, pk)
        slide = slide_uploads.start_upload(
            case_id=case.pk, actor=request.user, files=form.offered()
        )
        where = reverse("api:v1:slide", args=[slide.pk])
        return Response(describe(slide), status=201, headers={"Location": where})


class OneSlide(ApiView):
    """A slide."""

    scopes = {"GET": Scope.CASES_READ, "DELETE": Scope.IMAGES_WRITE}

    @reads(SlideShape, tag=TAG, summary="Read a slide", operation_id="read_slide")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return how far a slide is, and what is known of it."""
        slide = get_slide(request.user, pk)
        record_read(actor=request.user, patient=slide.case.patient)
        return Response(describe(slide))

    @extend_schema(
        tags=[TAG],
        summary="Remove a slide",
        operation_id="remove_slide",
        responses={204: OpenApiResponse(description="It is gone."), **problems(404, 409)},
    )
    def delete(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Take a slide and the fields taken of it out of a case that is not submitted yet."""
        slides.remove_slide(slide=get_slide(request.user, pk), actor=request.user)
        return Response(status=204)


class SlidePart(ApiView):
    """The parts of a slide's file."""

    scopes = {"PUT": Scope.IMAGES_WRITE}
    parser_classes = []
    most_bytes = slide_uploads.PART_BYTES

    @extend_schema(
        tags=[TAG],
        summary="Send a part of a file",
        operation_id="send_slide_part",
        parameters=[PartPlace],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: ReceivedShape, **problems(404, *SENT, more=NO_ROOM)},
    )
    def put(self, request: TokenRequest, pk: uuid.UUID, number: int) -> Response:
        """Append the body to a file; with the last part of the last file the check begins.

        A part that is not the next one is refused: 409 with the byte `expected`, so that it can
        be sent again without harm. No idempotency key is needed.
        """
        place = query(request, PartPlace).validated_data
        slide = get_slide(request.user, pk)
        file = slide_uploads.append_part(
            slide=slide,
            number=number,
            offset=place["offset"],
            data=_part(request),
            actor=request.user,
        )
        if file is None:
            raise Http404
        return Response(ReceivedShape(file).data)


class SlideFields(ApiView):
    """Fields chosen one by one."""

    scopes = {"POST": Scope.IMAGES_WRITE}

    @posts(FieldOfSlide, ReadImage, tag=TAG, summary="Take a field", status=201,
           operation_id="take_field", example={"box": [20480, 10240, 22528, 11776]})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Take a region of a slide that is ready as a field of its case, lossless."""
        box = body(request, FieldOfSlide).validated_data["box"]
        slide = get_slide(request.user, pk)
        image = slides.take_field(slide=slide, actor=request.user, box=box)
        found = intake.case_images(slide.case).get(pk=image.pk)
        where = reverse("api:v1:image", args=[image.pk])
        return Response(ReadImage(found).data, status=201, headers={"Location": where})


class SlideFieldRequests(ApiView):
    """Fields chosen by a worker."""

    scopes = {"POST": Scope.IMAGES_WRITE}

    @posts(FieldsWanted, SlideShape, tag=TAG, summary="Have fields taken", status=202,
           operation_id="ask_for_fields", example={"count": 100})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Have a worker take so many fields of the monolayer, besides those taken before."""
        count = body(request, FieldsWanted).validated_data["count"]
        slide = get_slide(request.user, pk)
        slides.ask_for_fields(slide=slide, actor=request.user, count=count)
        return Response(describe(get_slide(request.user, pk)), status=202)


class SlideThumbnail(ApiView):
    """The preview."""

    scopes = {"GET": Scope.CASES_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch a slide's preview",
        operation_id="fetch_slide_preview",
        responses={(200, "image/webp"): OpenApiTypes.BINARY, **problems(404, 410)},
    )
    def get(self, request: TokenRequest, pk: uuid.UUID) -> FileResponse:
        """Return the whole slide as a small picture; 404 before the slide is ready."""
        slide = get_slide(request.user, pk)
        if not slide.thumbnail:
            raise Http404
        return FileResponse(slide.thumbnail.open("rb"), content_type="image/webp")


class SlideTile(ApiView):
    """The tiles."""

    scopes = {"GET": Scope.CASES_READ}

    @extend_schema(
        tags=[TAG],
        summary="Fetch a tile of a slide",
        operation_id="fetch_slide_tile",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **problems(404, 410)},
    )
    def get(
        self, request: TokenRequest, pk: uuid.UUID, level: int, column: int, row: int
    ) -> HttpResponse:
        """Return a tile in the Deep Zoom scheme: level 0 is the slide in one pixel."""
        slide = get_slide(request.user, pk)
        if not slide.is_ready:
            raise Http404
        refuse_disposed(slide)
        try:
            with slide_files.opened(slide) as source:
                data = read_tile(source, level, column, row)
        except (ValueError, OSError, SlideRejected) as error:
            raise Http404 from error
        return HttpResponse(data, content_type="image/jpeg")


class ChangeKind(ApiView):
    """What a picture shows."""

    scopes = {"POST": Scope.IMAGES_WRITE}

    @posts(NewKind, ReadImage, tag="Images", summary="Say what a picture shows",
           operation_id="set_image_kind", example={"kind": "field"})  # fmt: skip
    @once
    def post(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Say that a picture is a field or a single cell, while its case is prepared."""
        kind = body(request, NewKind).validated_data["kind"]
        image = intake.get_image(request.user, pk)
        set_kind(image=image, actor=request.user, kind=kind)
        return Response(ReadImage(intake.case_images(image.case).get(pk=image.pk)).data)


def describe(slide: Slide) -> Any:
    """Return a slide in its shape."""
    found = case_slides(slide.case).prefetch_related("files").get(pk=slide.pk)
    return SlideShape(found).data


def _part(request: TokenRequest) -> bytes:
    """Read the part; one that is empty or was cut on its way is refused."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    data = cast("bytes", request.stream.read(length)) if length and request.stream else b""
    if not length or len(data) != length:
        raise SlideRefused("cut", "The part did not arrive completely. Send it again.")
    return data
