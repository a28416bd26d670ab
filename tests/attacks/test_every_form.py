"""Every form of the site, and every body of its API, filled in by somebody who means it harm.

More of it: `FORM_EXAMPLES=100 pytest -s` and this file, which writes how many requests there were.
"""

import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from classifier.models import Case, ModelVersion, Slide
from tests.access.site import Site, make_site
from tests.attacks.forms import PROGRAMS, Door, client_of, find_doors
from tests.attacks.hostile import MARKUP, Sent, bodies_for
from tests.attacks.watching import Watched, taken_back
from tests.clinical import MakeImage

EXAMPLES = int(os.environ.get("FORM_EXAMPLES", "3"))
# Addresses that note what their reader has seen: no change of what stands there.
NOTES = {"consultation:open_answer": ["consultation_referral"]}
WORDS = re.compile(r"[A-Za-z]{2,}[^A-Za-z]+[A-Za-z]{2,}")


@pytest.fixture
def site(
    settings: Any, case: Case, slide: Slide, active_model: ModelVersion, add_picture: MakeImage
) -> Iterator[Site]:
    """A laboratory with one of everything."""
    settings.API_STREAM_SECONDS, settings.API_WAIT_SECONDS = 0.0, 0
    settings.API_REQUESTS_PER_MINUTE = {"read": 10**9, "write": 10**9}
    add_picture(case)
    logging.disable(logging.CRITICAL)
    yield make_site(case, slide, active_model)
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(900 + 60 * EXAMPLES)
@pytest.mark.usefixtures("empty_cache")
def test_no_form_breaks_or_writes_unseen_whatever_is_put_into_it(site: Site) -> None:
    answers: Counter[int] = Counter()
    wrong = []
    doors = find_doors(site)
    clients: dict[tuple[bool, str], Client] = {}
    for door in doors:
        for number, sent in enumerate(bodies_for(door, EXAMPLES)):
            who = door.who[number % len(door.who)]
            key = (door.name.startswith(PROGRAMS), who)
            client = clients[key] = clients.get(key) or client_of(door, who, site)
            answer, watched = _send(client, door, sent)
            answers[answer.status_code] += 1
            wrong += [
                f"{door.method} {door.name} as {who}, {sent.what}: {said}"
                for said in _complaints(door, answer, watched)
            ]
    sys.stdout.write(
        f"{answers.total()} requests to {len(doors)} addresses: {sorted(answers.items())}\n"
    )
    assert len(doors) > 150
    assert not wrong, "\n" + "\n".join(wrong)


def _send(client: Client, door: Door, sent: Sent) -> tuple[Any, Watched]:
    """Send a body, and take back whatever it did."""
    cookies = deepcopy(client.cookies)
    headers = {"Idempotency-Key": "a-key-of-its-own"}
    with taken_back() as watched:
        answer: Any = client.generic(
            door.method, door.address, sent.body, sent.content_type, headers=headers
        )
        answer.text_of_it = answer.getvalue().decode(errors="replace")
    client.cookies = cookies
    return answer, watched


def _complaints(door: Door, answer: Any, watched: Watched) -> Iterator[str]:
    text = answer.text_of_it
    if answer.status_code >= 500:
        error = answer.exc_info[1] if getattr(answer, "exc_info", None) else ""
        yield f"{answer.status_code} {error!r}"
    if watched.tables != NOTES.get(door.name, []) and watched.tables and not watched.entries:
        yield f"{answer.status_code}, {watched.tables} changed without an audit entry"
    if MARKUP in text and answer.headers["Content-Type"].startswith("text/html"):
        yield "markup came back as it was sent"
    is_plain = answer.status_code in {200, 400, 403, 404, 405, 409, 413, 415, 422}
    if is_plain and answer.status_code != 200 and not WORDS.search(text):
        yield f"{answer.status_code} without words: {text[:80]!r}"
