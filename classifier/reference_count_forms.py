"""Forms of reference counts."""

from django import forms

from classifier.enums import CellType
from classifier.review_forms import ActionForm
from classifier.services.reference_counts import CELLS_PER_READER, MOST_CELLS


class StudyForm(forms.Form):
    """Which case is read, and how many cells."""

    accession_number = forms.CharField(
        max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    cells_wanted = forms.IntegerField(
        label="Cells for each reader",
        min_value=1,
        max_value=MOST_CELLS,
        initial=CELLS_PER_READER,
        help_text="200 after CLSI H20; all white cells if the case has fewer.",
    )


class MarkForm(ActionForm):
    """The class of one cell."""

    position = forms.IntegerField(min_value=1)
    cell_type = forms.ChoiceField(choices=CellType.choices)
