"""Every address of the site answers everybody as the table says, and says nothing it must not."""

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pytest

from accounts.enums import Role
from accounts.roles import ROLE_DUTIES
from classifier.models import Case, ModelVersion, Slide
from tests.access.lines import METHODS, WHO, routes, signs_of, written
from tests.access.markup import violations_in
from tests.access.outside import OUTSIDE
from tests.access.site import NAMES, make_site
from tests.access.table import TABLE
from tests.access.visits import Visit, visit_all
from tests.clinical import MakeImage

WITHOUT_PATIENTS = {"stranger"} | {
    role.value for role in Role if "view_patient" not in ROLE_DUTIES[role]
}


@pytest.fixture
def visits(
    settings: Any, case: Case, slide: Slide, active_model: ModelVersion, add_picture: MakeImage
) -> Iterator[list[Visit]]:
    """Every address opened by everybody."""
    settings.API_STREAM_SECONDS = 0.0
    add_picture(case)
    logging.disable(logging.CRITICAL)
    yield list(visit_all(make_site(case, slide, active_model)))
    logging.disable(logging.NOTSET)


def test_no_line_is_left_of_an_address_that_is_gone() -> None:
    gone = sorted(set(TABLE) - set(routes()))
    assert not gone, f"Take these lines out of tests/access/table: {gone}"


def test_people_from_outside_open_nothing_else() -> None:
    inside: frozenset[str] = frozenset()
    for who in ("stranger", "learner", "consultant"):
        inside |= OUTSIDE[who]
        place = WHO.index(who)
        opened = {
            name
            for name, line in TABLE.items()
            if any(signs_of(line, method).split()[place] == "+" for method in METHODS)
        }
        assert opened <= inside, (
            f"Open to a {who}: is it meant to be? Then tests/access/outside.py says so."
        )


@pytest.mark.usefixtures("empty_cache")
def test_the_site_answers_everybody_as_the_table_says(visits: list[Visit]) -> None:
    """One walk of the site: who gets in, what is said to whom, and what pages may not hold."""
    wrong = list(_lines_to_write(visits))
    assert not wrong, (
        "\nThe site and tests/access/table differ. If an address opens to whom it should, its "
        "line is\n\n" + "\n".join(wrong) + "\n\nand `python -m tests.access` writes the page."
    )
    assert [one for one in visits if one.sign == "!"] == []
    assert list(_leaks(visits)) == []
    assert list(_against_the_policy(visits)) == []


def _lines_to_write(visits: Sequence[Visit]) -> Iterator[str]:
    """The lines that would fit, for addresses that the table has otherwise or not at all."""
    for name, found in groupby(visits, key=lambda visit: visit.name):
        by_method: dict[str, dict[str, Visit]] = {method: {} for method in METHODS}
        for visit in found:
            by_method[visit.method][visit.who] = visit
        signs = [" ".join(by_method[method][who].sign for who in WHO) for method in METHODS]
        if name not in TABLE or not all(
            _fits(name, method, said) for method, said in zip(METHODS, signs, strict=True)
        ):
            statuses = {m: [by_method[m][who].status for who in WHO] for m in METHODS}
            yield f"{written(name, signs)}  # {statuses}"


def _fits(name: str, method: str, said: str) -> bool:
    """A program that was let in may also find nothing where it asked."""
    expected = signs_of(TABLE[name], method)
    if not isinstance(TABLE[name], tuple):
        pairs = zip(said, expected, strict=True)
        said = "".join(want if (sign, want) == (".", "+") else sign for sign, want in pairs)
    return said == expected


def _leaks(visits: Sequence[Visit]) -> Iterator[tuple[str, str, str]]:
    """Words about a patient that were said to somebody who may not read patients."""
    for visit in visits:
        if visit.who in WITHOUT_PATIENTS:
            words = re.sub(r"[A-Za-z0-9]{64}", "", visit.text)
            yield from ((visit.name, visit.who, name) for name in NAMES if name in words)


def _against_the_policy(visits: Sequence[Visit]) -> Iterator[tuple[str, list[str]]]:
    """Pages that hold what the content policy would block, or that have a lax policy."""
    pages = {(one.name, one.status): one for one in visits if one.content_type == "text/html"}
    for visit in pages.values():
        violations = violations_in(visit.text)
        lax = "default-src 'none'" not in visit.policy or "unsafe" in visit.policy
        if violations or lax:
            yield visit.name, [*violations, visit.policy]
