"""What referrers, consultants and members fill in."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms

from classifier.enums import CellType
from consultation.services.discussion import TEXT_LIMIT, Remark
from consultation.services.inviting import Newcomer
from consultation.services.opinions import DIAGNOSIS_LIMIT, IMPRESSION_LIMIT, Words
from consultation.services.opinions import TEXT_LIMIT as OPINION_LIMIT
from consultation.services.referrals import QUESTION_LIMIT, REASON_LIMIT, Request

IMPRESSION = "impression-"


class ReferralForm(forms.Form):
    """Whom to ask, what, and what of the patient is shown."""

    referral_id = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)
    consultant = forms.TypedChoiceField(
        label="Consultant", coerce=int, required=False, empty_value=None
    )
    email = forms.EmailField(label="E-mail", required=False)
    full_name = forms.CharField(
        label="Name, as it is to be printed", max_length=150, required=False
    )
    title = forms.CharField(label="Title or degrees", max_length=60, required=False)
    question = forms.CharField(
        label="Your question",
        max_length=QUESTION_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    shows_clinical_details = forms.BooleanField(label="Show the clinical details", required=False)
    shows_identity = forms.BooleanField(
        label="Show name, MRN, date of birth and accession number", required=False
    )

    def __init__(self, *args: Any, consultants: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["consultant"].choices = consultants  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask one person: somebody from the list, or somebody new who can be reached and named."""
        values = super().clean() or {}
        is_new = bool(values.get("email") or values.get("full_name") or "email" in self.errors)
        if is_new and values.get("consultant"):
            self.add_error("email", "Choose somebody from the list, or invite somebody new.")
        elif is_new:
            for name in ("email", "full_name"):
                if not values.get(name) and name not in self.errors:
                    self.add_error(name, "E-mail and name are both needed to invite somebody.")
        elif not values.get("consultant") and "consultant" not in self.errors:
            self.add_error("consultant", "Choose whom to ask, or invite somebody.")
        return values

    def newcomer(self) -> Newcomer | None:
        """Return whom to invite; None if somebody from the list is asked."""
        cleaned = self.cleaned_data
        if cleaned["consultant"]:
            return None
        return Newcomer(cleaned["email"], cleaned["full_name"], cleaned["title"])

    def request(self) -> Request:
        """Return what is asked, as the service takes it; of nobody yet if somebody is invited."""
        cleaned = self.cleaned_data
        return Request(
            consultant_id=cleaned["consultant"] or 0,
            question=cleaned["question"],
            shows_identity=cleaned["shows_identity"],
            shows_clinical_details=cleaned["shows_clinical_details"],
        )


class WithdrawalForm(forms.Form):
    """Why a referral is taken back."""

    reason = forms.CharField(max_length=REASON_LIMIT)


class TermForm(forms.Form):
    """Until which day a consultant sees the case."""

    term_id = forms.UUIDField()
    last_day = forms.DateField()
    reason = forms.CharField(max_length=REASON_LIMIT, required=False)


class OpinionForm(forms.Form):
    """What a consultant writes; remarks on classes come as `impression-<class>`."""

    opinion_id = forms.UUIDField(required=False)
    revision = forms.CharField(required=False, max_length=16)
    text = forms.CharField(required=False, max_length=OPINION_LIMIT, strip=False)
    diagnosis = forms.CharField(required=False, max_length=DIAGNOSIS_LIMIT, strip=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for cell_type in CellType.values:
            self.fields[f"{IMPRESSION}{cell_type}"] = forms.CharField(
                required=False, max_length=IMPRESSION_LIMIT, strip=False
            )

    def words(self) -> Words:
        """Return what was written, as the services take it."""
        cleaned = self.cleaned_data
        impressions = {name: cleaned[f"{IMPRESSION}{name}"] for name in CellType.values}
        return Words(cleaned["text"], cleaned["diagnosis"], impressions)


class CommentForm(forms.Form):
    """A comment, what it is on (`case`, `cell-<id>` or `field-<id>`), and whom it is for."""

    comment_id = forms.UUIDField()
    place = forms.RegexField(r"^(case|(cell|field)-[0-9a-f-]{36})$", required=False)
    text = forms.CharField(max_length=TEXT_LIMIT)
    mentions = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        empty_value=[],
        error_messages={"invalid_choice": "Mention only people who may see this case."},
    )

    def __init__(self, *args: Any, people: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mentions"].choices = people  # type: ignore[attr-defined]

    def clean_place(self) -> tuple[str, uuid.UUID | None]:
        """Return what is commented on and its id."""
        kind, _, text = self.cleaned_data["place"].partition("-")
        try:
            return kind, uuid.UUID(text) if text else None
        except ValueError as error:
            raise forms.ValidationError("There is no such cell or field.") from error

    def remark(self) -> Remark:
        """Return the comment, as the service takes it."""
        kind, place_id = self.cleaned_data["place"]
        return Remark(
            text=self.cleaned_data["text"],
            cell_id=place_id if kind == "cell" else None,
            image_id=place_id if kind == "field" else None,
            mentions=self.cleaned_data["mentions"],
        )
