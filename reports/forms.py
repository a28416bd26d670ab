"""What the signer and the amender fill in."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms

from classifier.models import AnalyserResult
from reports.content import Layout
from reports.enums import (
    MEANINGS_OF_A_REPORT,
    STATEMENTS,
    Issue,
    Paper,
    Section,
    SignatureMeaning,
)
from reports.formats import UNIT_WORDS, moment
from reports.pictures import MOST_PICTURES
from reports.services.layouts import LayoutChoice

REASON_LIMIT = 1000


class PicturesForm(forms.Form):
    """Which cells are printed; none given means that the laboratory's rule chooses."""

    cells = forms.TypedMultipleChoiceField(required=False, coerce=uuid.UUID, empty_value=[])
    chosen = forms.BooleanField(required=False)

    def __init__(self, *args: Any, cell_ids: list[uuid.UUID], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cells"].choices = [(str(pk), str(pk)) for pk in cell_ids]  # type: ignore[attr-defined]

    def clean_cells(self) -> list[uuid.UUID]:
        """Refuse more pictures than a report can hold."""
        cells: list[uuid.UUID] = self.cleaned_data["cells"]
        if len(cells) > MOST_PICTURES:
            raise forms.ValidationError(f"Choose at most {MOST_PICTURES} cell images.")
        return cells

    def choice(self) -> list[uuid.UUID] | None:
        """Return the cells the signer chose, or None if the signer left it to the rule."""
        return self.cleaned_data["cells"] if self.cleaned_data["chosen"] else None


class SignatureForm(forms.Form):
    """The three parts of a signature: what is signed, what it means, who signs."""

    draft_sha256 = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    issue = forms.TypedChoiceField(
        choices=Issue.choices, coerce=Issue, required=False, empty_value=Issue.RESULT
    )
    meaning = forms.ChoiceField(
        label="Meaning of your signature",
        choices=[
            (item.value, f"{item.label}: {STATEMENTS[item]}") for item in MEANINGS_OF_A_REPORT
        ],
        widget=forms.RadioSelect,
        initial=SignatureMeaning.APPROVAL.value,
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_meaning(self) -> SignatureMeaning:
        return SignatureMeaning(self.cleaned_data["meaning"])


class WithdrawalForm(forms.Form):
    """Why a report was entered in error, and the password of who declares it."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="What was entered in error",
        max_length=REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands on the withdrawn report, word for word.",
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class DecisionForm(forms.Form):
    """Confirming a withdrawal needs the password, declining it a reason."""

    decision = forms.ChoiceField(choices=[("confirm", "confirm"), ("decline", "decline")])
    password = forms.CharField(strip=False, max_length=4096, required=False)
    reason = forms.CharField(max_length=REASON_LIMIT, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for what the decision needs."""
        data = super().clean() or {}
        needed = {"confirm": "password", "decline": "reason"}.get(data.get("decision", ""))
        if needed in self.fields and not data.get(needed):
            self.add_error(needed, "Give your password." if needed == "password" else "Say why.")
        return data


ORDERS = {
    "interpretation": (
        "Interpretation first",
        ("interpretation", "consulted", "differential", "morphology", "cells"),
    ),
    "differential": (
        "Differential first",
        ("differential", "morphology", "interpretation", "consulted", "cells"),
    ),
    "cells": (
        "Differential, cell images, then interpretation",
        ("differential", "morphology", "cells", "interpretation", "consulted"),
    ),
}
"""The orders in which a laboratory would print the parts of a report."""


class LayoutForm(forms.Form):
    """Paper, order of the parts, footer and logo of printed reports."""

    paper = forms.TypedChoiceField(choices=Paper.choices, coerce=Paper, widget=forms.RadioSelect)
    order = forms.ChoiceField(
        choices=[(code, words) for code, (words, _) in ORDERS.items()], widget=forms.RadioSelect
    )
    prints_cells = forms.BooleanField(label="Print cell images", required=False)
    footer = forms.CharField(
        required=False, max_length=200, help_text="A line at the foot of every page."
    )
    logo = forms.FileField(
        required=False, help_text="PNG or JPEG, 2 MB at most; it is written anew."
    )
    logo_alt = forms.CharField(
        label="What the logo shows",
        required=False,
        max_length=120,
        help_text="Read aloud in its place, such as: Logo of St Anne's Hospital.",
    )
    drops_logo = forms.BooleanField(label="Print without a logo", required=False)

    def __init__(self, *args: Any, layout: Layout | None, **kwargs: Any) -> None:
        sections = layout.sections if layout else tuple(Section.values)
        super().__init__(*args, **kwargs)
        self.initial = {
            "paper": layout.paper if layout else Paper.A4.value,
            "order": _order_of(sections),
            "prints_cells": Section.CELLS in sections,
            "footer": layout.footer if layout else "",
            "logo_alt": layout.logo_alt if layout else "",
        }

    def choice(self) -> LayoutChoice:
        """Return what was chosen."""
        data = self.cleaned_data
        order = ORDERS[data["order"]][1]
        sections = [Section(name) for name in order if name != "cells" or data["prints_cells"]]
        logo = data["logo"].read() if data["logo"] else None
        return LayoutChoice(
            data["paper"], sections, data["footer"], logo, data["logo_alt"], data["drops_logo"]
        )


def _order_of(sections: tuple[str, ...]) -> str:
    """Return the order that the sections stand in, whether or not pictures are among them."""
    for code, (_, order) in ORDERS.items():
        if tuple(name for name in order if name in sections) == sections:
            return code
    return next(iter(ORDERS))


class AmendForm(forms.Form):
    """Why a signed report has to be corrected; printed on the corrected report."""

    reason = forms.CharField(
        label="Reason for the correction",
        max_length=REASON_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands on the corrected report, word for word.",
    )
    results = forms.TypedMultipleChoiceField(
        label="Analyser results that came after signing",
        required=False,
        coerce=uuid.UUID,
        empty_value=[],
        widget=forms.CheckboxSelectMultiple,
        help_text="Those ticked count from now on and stand in the new version.",
    )

    def __init__(self, *args: Any, late: Sequence[AnalyserResult] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["results"].choices = [(str(item.pk), _in_words(item)) for item in late]  # type: ignore[attr-defined]
        if not late:
            self.fields["results"].widget = forms.MultipleHiddenInput()


def _in_words(item: AnalyserResult) -> str:
    unit = UNIT_WORDS[item.unit]
    when = moment(item.measured_at)
    return f"{item.get_analyte_display()} {item.value} {unit}, {item.source}, {when}"


class DismissalForm(forms.Form):
    """Why a flagged change needs no mention; which one it is, and the value on the screen."""

    analyte = forms.CharField(max_length=24)
    value = forms.CharField(max_length=16)
    action_id = forms.UUIDField()
    reason = forms.CharField(max_length=500)
