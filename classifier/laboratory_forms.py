"""The form of the laboratory's settings."""

from typing import Any

from django import forms

from classifier.models import Laboratory

ESCALATION = "critical_escalation_minutes"


class LaboratoryForm(forms.ModelForm):
    """Letterhead, default issuer, cells to count, platelet factor, limits, ages."""

    cell_target = forms.TypedChoiceField(
        label="Leukocytes to count",
        coerce=int,
        choices=[(100, "100"), (200, "200")],
        help_text="A case with fewer asks for more fields.",
    )

    class Meta:
        model = Laboratory
        fields = [
            "name", "address", "phone", "director", "accreditation", "clia_number",
            "mrn_issuer", "cell_target", "platelet_factor", "erythroblast_limit",
            "adult_from_years", "referral_days", "critical_due_minutes",
            "critical_escalation_minutes", "escalation_email", "emergency_minutes",
            "emergency_judgement_days",
        ]  # fmt: skip
        labels = {
            "platelet_factor": "Platelet factor",
            "erythroblast_limit": "Correct the WBC count above",
            "mrn_issuer": "Default MRN issuer",
            "referral_days": "Days a referral lasts",
            "critical_due_minutes": "Minutes to tell a critical result",
            "critical_escalation_minutes": "Minutes until it is passed on",
            "escalation_email": "Escalation address",
            "emergency_minutes": "Minutes of an emergency access",
            "emergency_judgement_days": "Days to judge it",
        }
        widgets = {"address": forms.Textarea(attrs={"rows": 2})}

    def clean(self) -> dict[str, Any]:
        """Nothing is passed on before it is due."""
        values = super().clean() or {}
        due, passed_on = values.get("critical_due_minutes"), values.get(ESCALATION)
        if due is not None and passed_on is not None and passed_on < due:
            self.add_error(ESCALATION, "Choose no fewer minutes than there are to tell it.")
        return values
