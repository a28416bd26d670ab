"""Finds a patient's identity in words that somebody typed."""

import re

from classifier.models import Case, Patient


def names_the_patient(text: str, case: Case) -> str:
    """Return which part of the identity ``text`` holds, merged records' too, "" if none.

    Names count as whole words written with a capital, numbers wherever and however they are
    written, the birth date in the forms 1980-01-31, 31.01.1980 and 31/01/1980.
    """
    for patient in (case.patient, *case.patient.absorbed.all()):
        if found := _names(text, patient):
            return found
    return "the accession number" if _is_written(case.accession_number, text) else ""


def _names(text: str, patient: Patient) -> str:
    for name in (patient.family_name, patient.given_name):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            return "the patient's name"
    if _is_written(patient.mrn, text):
        return "the MRN"
    forms = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
    if any(f"{patient.birth_date:{form}}" in text for form in forms):
        return "the date of birth"
    return ""


def _is_written(number: str, text: str) -> bool:
    return _plain(number) in _plain(text)


def _plain(text: str) -> str:
    return re.sub(r"[\s-]", "", text).casefold()
