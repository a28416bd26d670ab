"""Images, in and out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.shapes.strict import Id
from classifier.enums import ImageKind, RunStatus

KIND_HELP = "what the picture shows; guessed where nothing is said"


@extend_schema_field(OpenApiTypes.BINARY)
class Upload(serializers.FileField):
    """A file as a part of a form."""


class NewImage(serializers.Serializer[Any]):
    """One picture as a part of a form."""

    file = Upload(allow_empty_file=True, max_length=1000)
    kind = serializers.ChoiceField(choices=ImageKind.choices, required=False, help_text=KIND_HELP)


class NewArchive(serializers.Serializer[Any]):
    """A ZIP archive of pictures as a part of a form."""

    file = Upload(allow_empty_file=True, max_length=1000)
    kind = serializers.ChoiceField(choices=ImageKind.choices, required=False, help_text=KIND_HELP)


class ImageShape(serializers.Serializer[Any]):
    """A picture of a case. `sha256` is that of the file as it was sent."""

    id = Id()
    name = serializers.CharField(source="original_name", allow_blank=True)
    kind = serializers.ChoiceField(choices=ImageKind.choices)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    sha256 = serializers.CharField(source="original_sha256")
    notes = serializers.ListField(child=serializers.CharField())
    advice = serializers.ListField(child=serializers.CharField())
    uploaded_at = serializers.DateTimeField()


class ReadImage(ImageShape):
    """A picture and how far it is: `run` is null before it was submitted."""

    run = serializers.ChoiceField(choices=RunStatus.choices, source="run_status", allow_null=True)
    error = serializers.SerializerMethodField()

    def get_error(self, image: Any) -> str:
        """Why it could not be read; empty if it could, or wasn't tried."""
        return getattr(image, "run_error", None) or ""


class ImageList(serializers.Serializer[Any]):
    """The pictures of a case in the order of upload."""

    results = ReadImage(many=True)


class ImageRefusal(serializers.Serializer[Any]):
    """Why a file of an archive was not taken."""

    code = serializers.CharField()
    detail = serializers.CharField()


class Outcome(serializers.Serializer[Any]):
    """What became of one file of an archive: an image, or the reason why there is none."""

    name = serializers.CharField(allow_blank=True)
    image = ImageShape(allow_null=True)
    problem = ImageRefusal(allow_null=True)


class ArchiveOutcome(serializers.Serializer[Any]):
    """What became of each file of an archive."""

    stored = serializers.IntegerField()
    refused = serializers.IntegerField()
    outcomes = Outcome(many=True)
