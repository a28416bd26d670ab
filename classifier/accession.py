"""Accession numbers: `HV{YY}-{000001}{check}`, one sequence a year, never reused.

The check character is ISO 7064 mod 37,2 over the letters and digits: it catches every single
wrong key and every swap of neighbours.
"""

from datetime import date

from stdnum.iso7064 import mod_37_2

from classifier.models import AccessionCounter

PREFIX = "HV"


def allocate(today: date) -> str:
    """Give out the next number of the year; must run inside the transaction that uses it."""
    AccessionCounter.objects.get_or_create(year=today.year)
    counter = AccessionCounter.objects.select_for_update().get(year=today.year)
    counter.last_number += 1
    counter.save(update_fields=["last_number"])
    return compose(today.year, counter.last_number)


def compose(year: int, number: int) -> str:
    """Return the accession number of the ``number``-th case of ``year``."""
    body = f"{PREFIX}{year % 100:02d}-{number:06d}"
    return body + mod_37_2.calc_check_digit(body.replace("-", ""))


def is_well_formed(text: str) -> bool:
    """Say whether ``text``, typed or scanned, carries the right check character."""
    return bool(mod_37_2.is_valid(text.strip().upper().replace("-", "")))
