"""Read models of whole slides: those of a case, one with the fields that were taken from it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum
from django.shortcuts import get_object_or_404
from django.urls import reverse

from classifier.models import Case, Slide, SlideFile, SmearImage
from ml.slides.proposing import FIELD, field_size
from ml.slides.slide import OVERLAP, TILE_SIZE

if TYPE_CHECKING:
    import uuid

    from accounts.models import User


@dataclass(frozen=True, slots=True)
class SlideView:
    """A slide and the fields taken from it, as its page shows them."""

    slide: Slide
    fields: list[SmearImage]

    @property
    def token(self) -> str:
        """A word that changes whenever something has happened."""
        return f"{self.slide.status}-{self.slide.fields_wanted}-{len(self.fields)}"

    @property
    def usual_field(self) -> tuple[int, int]:
        """Width and height, in pixels of the slide, of the field that is usually taken."""
        return field_size(self.slide)

    @property
    def usual_micrometres(self) -> tuple[int, int]:
        """Width and height of that field on the glass."""
        return int(FIELD[0]), int(FIELD[1])

    def for_viewer(self) -> dict[str, Any]:
        """Return what the viewer needs of the slide."""
        tile = reverse("classifier:slide_tile", args=[self.slide.pk, 0, 0, 0])
        return {
            "width": self.slide.width,
            "height": self.slide.height,
            "tile_size": TILE_SIZE,
            "overlap": OVERLAP,
            "tiles": tile.removesuffix("0/0_0.jpeg"),
            "microns_per_pixel": self.slide.microns_per_pixel,
            "field": self.usual_field,
        }


def get_slide(user: "User", slide_id: "uuid.UUID") -> Slide:
    """Return a slide of a case the user may see, with case and patient; else Http404."""
    slides = Slide.objects.filter(case__in=Case.objects.visible_to(user))
    return get_object_or_404(slides.select_related("case__patient", "uploaded_by"), pk=slide_id)


def view_slide(slide: Slide) -> SlideView:
    """Return a slide with its fields, in the order in which they were taken."""
    fields = list(slide.fields.all())
    for number, field in enumerate(fields, 1):
        field.number = number  # type: ignore[attr-defined]
    return SlideView(slide, fields)


def case_slides(case: Case) -> QuerySet[Slide]:
    """Return a case's slides with `field_count` and `received`, the bytes that have arrived."""
    files = SlideFile.objects.filter(slide=OuterRef("pk")).order_by().values("slide")
    received = files.annotate(total=Sum("received")).values("total")
    return case.slides.annotate(field_count=Count("fields"), received=Subquery(received))


def token_of(slides: "QuerySet[Slide] | list[Slide]") -> str:
    """Return a word that changes whenever something has happened to one of these slides."""
    return ".".join(f"{slide.status[0]}{slide.fields_wanted}" for slide in slides)
