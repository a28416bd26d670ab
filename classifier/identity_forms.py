"""Forms of merging patients, taking a merge back, and cases of the wrong patient."""

import uuid
from collections.abc import Sequence

from django import forms

from classifier.models import Case, Patient, PatientMerge
from classifier.services.merging import DIFFERENCES, MergeRequest, differences

REASON_LIMIT = 1000


class WhyForm(forms.Form):
    """A reason that is kept in the audit trail."""

    reason = forms.CharField(
        max_length=REASON_LIMIT, widget=forms.Textarea(attrs={"rows": 3, "maxlength": REASON_LIMIT})
    )


class MergeForm(WhyForm):
    """Which of two records stays, why, and which differences were seen."""

    survivor = forms.ChoiceField(
        label="Which record stays?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the record that stays."},
    )
    field_order = ("survivor", "birth_date", "sex", "reason")

    def __init__(self, pair: Sequence[Patient], *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.pair = pair
        self.fields["survivor"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), f"MRN {one.mrn}, {one.mrn_issuer}") for one in pair
        ]
        for name in sorted(differences(*pair)):
            self.fields[name] = forms.BooleanField(
                label=f"The {DIFFERENCES[name]} differs. I have seen it, and it is one person.",
                error_messages={"required": f"Confirm that you have seen the other "
                                            f"{DIFFERENCES[name]}."},
            )  # fmt: skip
        self.order_fields(self.field_order)

    def wanted(self) -> MergeRequest:
        """What the service is to do."""
        survivor = uuid.UUID(self.cleaned_data["survivor"])
        [merged] = [one.pk for one in self.pair if one.pk != survivor]
        named = frozenset(name for name in DIFFERENCES if self.cleaned_data.get(name))
        return MergeRequest(merged, survivor, self.cleaned_data["reason"], named)


class UnmergeForm(WhyForm):
    """To which of two records each case goes that came since they were merged, and why."""

    def __init__(
        self, merge: PatientMerge, cases: Sequence[Case], *args: object, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.cases = cases
        records = [merge.survivor, merge.merged]
        choices = [(str(one.pk), f"{one}, MRN {one.mrn}, {one.mrn_issuer}") for one in records]
        for case in cases:
            self.fields[str(case.pk)] = forms.ChoiceField(
                label=f"{case.accession_number}, {case.get_status_display().lower()}",
                choices=choices,
                widget=forms.RadioSelect,
                error_messages={"required": "Say to which record this case belongs."},
            )
        self.order_fields([*(str(case.pk) for case in cases), "reason"])

    def goes_to(self) -> dict[uuid.UUID, uuid.UUID]:
        """Return the record of each case."""
        return {case.pk: uuid.UUID(self.cleaned_data[str(case.pk)]) for case in self.cases}
