"""Whether the patient that a file states is the patient of a case."""

import unicodedata

from classifier.models import Patient
from ml.dicom import StatedPatient


def differences(stated: StatedPatient, patient: Patient) -> list[str]:
    """Name what the file states otherwise; what it doesn't state is no difference.

    Case, accents, blanks and punctuation of names don't matter. A file that states the number of
    a record that was merged is held against that record.
    """
    if _plain(stated.mrn) != _plain(patient.mrn):
        merged = (row for row in patient.absorbed.all() if _plain(row.mrn) == _plain(stated.mrn))
        patient = next(merged, patient)
    pairs = {
        "medical record number": (_plain(stated.mrn), _plain(patient.mrn)),
        "family name": (_plain(stated.family_name), _plain(patient.family_name)),
        "given name": (_first(stated.given_name), _first(patient.given_name)),
        "date of birth": (stated.birth_date, patient.birth_date),
    }
    return [name for name, (said, known) in pairs.items() if said and said != known]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _first(names: str) -> str:
    """Return the first of several given names, as files often leave out the others."""
    return _plain(names.split(maxsplit=1)[0]) if names.split() else ""
