"""Whole slides, in and out."""

from typing import Any

from rest_framework import serializers

from api.shapes.boxes import BoxField
from api.shapes.strict import Id, Shape, Text, Whole
from classifier.enums import ImageKind, SlideStatus
from classifier.services.slide_uploads import MOST_FILES, PART_BYTES, OfferedFile
from classifier.services.slides import MOST_FIELDS

MOST_BYTES = 2**60


class NewFile(Shape):
    """A file that is to be sent; `modified` in milliseconds since 1970 tells it from others."""

    name = Text(max_length=1000)
    size = Whole(min_value=1, max_value=MOST_BYTES)
    modified = Whole(required=False, default=0, min_value=-MOST_BYTES, max_value=MOST_BYTES)


class NewSlide(Shape):
    """The file of a slide, or the files of one DICOM series."""

    files = serializers.ListField(child=NewFile(), min_length=1, max_length=MOST_FILES)

    def offered(self) -> list[OfferedFile]:
        """The files as the service takes them."""
        return [OfferedFile(**file) for file in self.validated_data["files"]]


class PartPlace(Shape):
    """At which byte of the file a part begins."""

    offset = serializers.IntegerField(min_value=0, max_value=MOST_BYTES)


class FieldOfSlide(Shape):
    """A region of the slide, in its pixels."""

    box = BoxField()


class FieldsWanted(Shape):
    """How many fields of the monolayer a worker is to take."""

    count = Whole(min_value=1, max_value=MOST_FIELDS)


class NewKind(Shape):
    """What a picture shows."""

    kind = serializers.ChoiceField(choices=ImageKind.choices)


class ReceivedShape(serializers.Serializer[Any]):
    """How much of a file has arrived."""

    received = serializers.IntegerField()
    size = serializers.IntegerField()


class SlideFileShape(ReceivedShape):
    """A file of a slide; its parts are sent to `files/{number}`."""

    number = serializers.IntegerField()
    name = serializers.CharField(source="original_name", allow_blank=True)
    modified = serializers.IntegerField()


class SlideShape(serializers.Serializer[Any]):
    """A slide: how far it is, what is known of it, and how many fields were taken of it.

    `fields_wanted` is how many a worker still has to take; `problem` says why the slide was
    refused, or why fewer were taken. `part_bytes` is how much to send at once.
    """

    id = Id()
    case = Id(source="case_id")
    name = serializers.CharField(source="original_name", allow_blank=True)
    status = serializers.ChoiceField(choices=SlideStatus.choices)
    problem = serializers.CharField(allow_blank=True)
    bytes = serializers.IntegerField(source="original_bytes")
    sha256 = serializers.CharField(source="original_sha256", allow_blank=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    microns_per_pixel = serializers.FloatField(allow_null=True)
    objective_power = serializers.FloatField(allow_null=True)
    fields_wanted = serializers.IntegerField()
    fields_taken = serializers.IntegerField(source="field_count")
    uploaded_at = serializers.DateTimeField()
    part_bytes = serializers.IntegerField(default=PART_BYTES)
    files = SlideFileShape(many=True)


class SlideList(serializers.Serializer[Any]):
    """The slides of a case in the order of upload."""

    results = SlideShape(many=True)
