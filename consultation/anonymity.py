"""Finds a patient's identity in words that somebody typed."""

import re

from classifier.models import Case


def names_the_patient(text: str, case: Case) -> str:
    """Return which part of the identity ``text`` holds, "" if none.

    Names count as whole words written with a capital, numbers wherever and however they are
    written, the birth date in the forms 1980-01-31, 31.01.1980 and 31/01/1980.
    """
    patient = case.patient
    for name in (patient.family_name, patient.given_name):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            return "the patient's name"
    written = re.sub(r"[\s-]", "", text).casefold()
    numbers = {"the MRN": patient.mrn, "the accession number": case.accession_number}
    for what, number in numbers.items():
        if re.sub(r"[\s-]", "", number).casefold() in written:
            return what
    forms = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
    if any(f"{patient.birth_date:{form}}" in text for form in forms):
        return "the date of birth"
    return ""
