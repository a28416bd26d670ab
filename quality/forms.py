"""Forms of the quality boards."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from classifier.forms import ManyFilesField
from classifier.models import ModelVersion
from quality.analytes import Expected, title_of, unit_of
from quality.selectors.controls import Established
from quality.selectors.reader_checks import Rules
from quality.services.controls import LONGEST_HOURS
from quality.services.reader_checks import FEWEST_CELLS, LONGEST_DAYS, MOST_CELLS
from quality.westgard import REJECTS

MOST_AT_ONCE = 8
"""Of the largest pictures, so many may come together as one control."""
_DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class BaselineForm(forms.Form):
    """The days that later ones are compared with, and why."""

    first = forms.DateField(label="From", widget=_DATE)
    last = forms.DateField(label="To", widget=_DATE)
    reason = forms.CharField(
        label="Why these days",
        max_length=250,
        help_text="Such as: first month after validation; new stain lot accepted by controls.",
    )


class ControlMaterialForm(forms.Form):
    """A control slide, or the slides of one lot."""

    name = forms.CharField(max_length=64, help_text="Such as: normal control.")
    lot = forms.CharField(max_length=64, help_text="Lot of the maker, or your own number.")
    description = forms.CharField(max_length=250, required=False)
    expires_on = forms.DateField(label="Expires on", widget=_DATE, required=False)


class ControlRunForm(forms.Form):
    """Pictures of a control."""

    pictures = ManyFilesField(
        help_text="The same fields each time. None of a patient's slide: controls are kept apart."
    )
    version_id = forms.TypedChoiceField(label="Read with", coerce=int)
    comment = forms.CharField(
        max_length=250, required=False, help_text="Such as: new stain lot; lamp replaced."
    )

    def __init__(self, *args: Any, versions: Sequence[ModelVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(version.pk, str(version)) for version in versions]
        self.fields["version_id"].choices = choices  # type: ignore[attr-defined]

    def clean_pictures(self) -> Sequence[UploadedFile]:
        """Refuse more than a server should read at once, before reading any."""
        pictures: Sequence[UploadedFile] = self.cleaned_data["pictures"]
        limit = MOST_AT_ONCE * settings.MAX_UPLOAD_BYTES
        if sum(picture.size or 0 for picture in pictures) > limit:
            raise forms.ValidationError(
                f"Together the pictures are larger than {limit // 1024**2} MB."
            )
        return pictures


class TargetForm(forms.Form):
    """Mean and standard deviation of what is expected; figures left empty are not judged."""

    def __init__(self, *args: Any, analytes: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.analytes = analytes
        for name in analytes:
            self.fields[f"mean_{name}"] = _figure(f"{title_of(name)}: mean ({unit_of(name)})")
            self.fields[f"sd_{name}"] = _figure(f"{title_of(name)}: SD")
        self.fields["reason"] = forms.CharField(
            label="Where the values come from",
            max_length=250,
            help_text="Such as: maker's certificate; manual count of 400 cells by two readers.",
        )

    def clean(self) -> dict[str, Any]:
        """Have both figures of a pair, or neither; an SD above zero."""
        found = super().clean() or {}
        for name in self.analytes:
            mean, sd = found.get(f"mean_{name}"), found.get(f"sd_{name}")
            if (mean is None) != (sd is None) and not {f"mean_{name}", f"sd_{name}"} & {
                *self.errors
            }:
                self.add_error(f"sd_{name}", "Enter mean and SD, or neither.")
            if sd is not None and sd <= 0:
                self.add_error(f"sd_{name}", "An SD is above zero.")
        return found

    def values(self) -> dict[str, Expected]:
        """Return what was entered, by analyte."""
        entered = self.cleaned_data
        return {
            name: Expected(entered[f"mean_{name}"], entered[f"sd_{name}"])
            for name in self.analytes
            if entered[f"mean_{name}"] is not None
        }


class EstablishForm(forms.Form):
    """Which of the figures that the runs give are to be judged."""

    analytes = forms.MultipleChoiceField(
        label="Figures to judge",
        widget=forms.CheckboxSelectMultiple,
        help_text="The more figures are judged, the more often one lies outside by chance.",
    )
    reason = forms.CharField(label="Why these runs", max_length=250)

    def __init__(self, *args: Any, established: Established, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["analytes"].choices = [  # type: ignore[attr-defined]
            (name, f"{title_of(name)}: {each.mean:.2f} ± {each.sd:.2f} {unit_of(name)}")
            for name, each in established.values.items()
        ]


class RulesForm(forms.Form):
    """Which rules reject, and how often a control is due."""

    rules = forms.MultipleChoiceField(
        label="Rules that reject a control and stop the classifier",
        choices=[(rule.value, rule.label) for rule in REJECTS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="1-2s always warns.",
    )
    due_hours = forms.IntegerField(
        label="A control is due every so many hours",
        required=False,
        min_value=1,
        max_value=LONGEST_HOURS,
        help_text="Empty: no control is ever due.",
    )
    missing_stops = forms.BooleanField(
        label="A missing control stops the classifier", required=False
    )
    reason = forms.CharField(label="Why", max_length=250)


class ReleaseForm(forms.Form):
    """Why the classifier may read again."""

    reason = forms.CharField(
        label="Reason", max_length=250, help_text="What was wrong, and what was done about it."
    )


class CheckRulesForm(forms.Form):
    """How often readers are checked, with how many cells, and below what it is told."""

    every_days = forms.IntegerField(
        label="A check is dealt every so many days",
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text="Empty: none is dealt by itself.",
    )
    cells = forms.IntegerField(
        label="Cells of a check", min_value=FEWEST_CELLS, max_value=MOST_CELLS
    )
    due_days = forms.IntegerField(label="Days to complete it", min_value=1, max_value=LONGEST_DAYS)
    least_percent = forms.IntegerField(
        label="Tell who manages the laboratory below so many percent named as agreed",
        required=False,
        min_value=1,
        max_value=100,
        help_text="Empty: nobody is told. Of few cells a percentage says little.",
    )
    reason = forms.CharField(label="Why", max_length=250)

    def rules(self) -> Rules:
        """Return what was entered."""
        return Rules(**{name: self.cleaned_data[name] for name in Rules.__slots__})


class WhyForm(forms.Form):
    """Why something is taken back or used no more."""

    reason = forms.CharField(label="Why", max_length=250)


class TakeForm(forms.Form):
    """Where known cells are taken from."""

    kind = forms.ChoiceField(choices=[("count", "Reference count"), ("set", "Labelled set")])
    key = forms.UUIDField()


def _figure(label: str) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, widget=forms.NumberInput(attrs={"step": "any"})
    )
