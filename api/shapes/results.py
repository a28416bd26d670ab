"""Results: cells, differential, field counts, models; always with whose word it is."""

from typing import Any

from rest_framework import serializers

from api.shapes.strict import Id
from classifier.enums import (
    Analyte,
    CaseStatus,
    CellType,
    DetectedKind,
    ImageKind,
    ResultStatus,
    RunStatus,
)

CELL_TYPES = ["", *CellType.values]
FLAGS = ("", "low", "high", "critical_low", "critical_high", "critical")


def _amount(**options: Any) -> serializers.DecimalField:
    """A decimal as a string, with as many places as the laboratory reports."""
    return serializers.DecimalField(max_digits=12, decimal_places=None, **options)


class IntervalShape(serializers.Serializer[Any]):
    """Two limits in the unit of the value beside them."""

    low = _amount()
    high = _amount()


class ReferenceShape(serializers.Serializer[Any]):
    """The reference interval that judged a value."""

    quantity = serializers.CharField()
    low = _amount(source="limits.low")
    high = _amount(source="limits.high")
    version = serializers.IntegerField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    is_approved = serializers.BooleanField()


class DifferentialRowShape(serializers.Serializer[Any]):
    """One class of leukocytes; percent with 95 % intervals, absolute in 10⁹/L."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)
    count = serializers.IntegerField()
    percent = _amount(allow_null=True)
    interval = IntervalShape(allow_null=True)
    naming_interval = IntervalShape(allow_null=True)
    absolute = _amount(allow_null=True)
    reference = ReferenceShape(allow_null=True)
    flag = serializers.ChoiceField(choices=FLAGS)


class AsideShape(serializers.Serializer[Any]):
    """Cells counted outside the denominator."""

    cell_type = serializers.ChoiceField(choices=CellType.choices)
    count = serializers.IntegerField()


class CriticalShape(serializers.Serializer[Any]):
    """A result beyond the laboratory's critical limit."""

    analyte = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    side = serializers.CharField()
    value = _amount()
    unit = serializers.CharField()
    limit = _amount(allow_null=True)
    limit_version = serializers.IntegerField()
    is_approved = serializers.BooleanField()
    is_confirmed = serializers.BooleanField()


class DifferentialShape(serializers.Serializer[Any]):
    """The count as it stands; `is_confirmed` only once a pathologist has signed it."""

    is_confirmed = serializers.BooleanField()
    rows = DifferentialRowShape(many=True)
    leukocytes = serializers.IntegerField()
    target = serializers.IntegerField()
    erythroblasts = serializers.IntegerField()
    erythroblasts_per_hundred = _amount(allow_null=True)
    others = AsideShape(many=True, source="asides")
    cells = serializers.IntegerField()
    unresolved = serializers.IntegerField()
    human_marked = serializers.IntegerField()
    human_changed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    naming_note = serializers.CharField(allow_blank=True)
    reference_note = serializers.CharField(allow_blank=True)
    white_count = _amount(allow_null=True, source="wbc_count")
    white_count_source = serializers.CharField(allow_blank=True, source="wbc_source")
    white_count_corrected = _amount(allow_null=True, source="wbc_corrected")
    white_count_flag = serializers.ChoiceField(choices=FLAGS, source="wbc_flag")
    critical = CriticalShape(many=True)


class FieldShape(serializers.Serializer[Any]):
    """What was found on one field; `red_cell` is the median diameter in pixels."""

    image = Id(source="image_id")
    leukocytes = serializers.IntegerField()
    at_edge = serializers.IntegerField()
    repeats = serializers.IntegerField()
    erythrocytes = serializers.IntegerField()
    platelets = serializers.IntegerField()
    red_cell = serializers.FloatField(allow_null=True)


class FieldsShape(serializers.Serializer[Any]):
    """The fields of a case; `platelets` is the estimate in 10⁹/L, or null for `withheld`."""

    fields_read = FieldShape(many=True, source="fields")
    erythrocytes_per_field = _amount()
    platelets_per_field = _amount()
    platelets = _amount(allow_null=True, source="estimate.value")
    withheld = serializers.CharField(allow_blank=True, source="estimate.withheld")


class RunShape(serializers.Serializer[Any]):
    """How far the reading of one image is."""

    image = Id(source="id")
    status = serializers.ChoiceField(
        choices=RunStatus.choices, source="run_status", allow_null=True
    )
    model = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    def get_model(self, image: Any) -> str:
        """Name and version; empty before the image was submitted."""
        return getattr(image, "run_model", None) or ""

    def get_error(self, image: Any) -> str:
        """Why it could not be read."""
        return getattr(image, "run_error", None) or ""


class AnalyserResultShape(serializers.Serializer[Any]):
    """One value of an analyser in UCUM's unit; `stands` is false until a late one is taken."""

    analyte = serializers.ChoiceField(choices=Analyte.choices)
    value = _amount()
    unit = serializers.CharField()
    measured_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=ResultStatus.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    flags = serializers.CharField(allow_blank=True)
    stands = serializers.BooleanField()


class ResultsShape(serializers.Serializer[Any]):
    """The results of a case. `differential` is null until the case can be reviewed."""

    case = Id()
    status = serializers.ChoiceField(choices=CaseStatus.choices)
    runs = RunShape(many=True)
    differential = DifferentialShape(allow_null=True)
    fields_summary = FieldsShape(allow_null=True)
    analyser_results = AnalyserResultShape(many=True)


class CellShape(serializers.Serializer[Any]):
    """A cell: what the machine made of it, what a human said, and which of them counts.

    `state` says whose word counts: `human`, `machine`, or nobody's yet: `referred`, `unread`.
    `fate` says why a cell doesn't count. `revision` grows with every human word.
    """

    id = Id()
    image = Id(source="image_id")
    image_kind = serializers.SerializerMethodField()
    detected_as = serializers.ChoiceField(choices=DetectedKind.choices)
    box = serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4)
    state = serializers.ChoiceField(choices=("human", "machine", "referred", "unread"))
    fate = serializers.ChoiceField(choices=("", "edge", "repeat", "removed"))
    finding = serializers.ChoiceField(choices=CellType.choices)
    machine = serializers.ChoiceField(choices=CELL_TYPES, source="mark.machine_type")
    human = serializers.ChoiceField(choices=CELL_TYPES, source="mark.human_type")
    suggestion = serializers.ChoiceField(choices=CELL_TYPES)
    confidence = serializers.FloatField(allow_null=True)
    probabilities = serializers.DictField(child=serializers.FloatField())
    candidates = serializers.ListField(child=serializers.CharField(), allow_null=True)
    is_odd = serializers.BooleanField()
    pair = serializers.ListField(
        child=serializers.UUIDField(), help_text="the same cell on overlapping fields"
    )
    revision = serializers.IntegerField()

    def get_image_kind(self, cell: Any) -> str:
        """`field` or `cell`."""
        return str(ImageKind.FIELD if cell.is_in_field else ImageKind.CELL)


class CellList(serializers.Serializer[Any]):
    """The cells to review, in the order of upload."""

    results = CellShape(many=True)


class ModelShape(serializers.Serializer[Any]):
    """A classifier of the laboratory, known by the SHA-256 of its weights."""

    name = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()
    class_names = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    registered_at = serializers.DateTimeField()


class ModelList(serializers.Serializer[Any]):
    """The classifiers that the laboratory has or had in use."""

    results = ModelShape(many=True)
