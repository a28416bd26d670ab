"""The signed value: frozen, canonical, hashed."""

import dataclasses
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from reports.canonical import ContentError, canonical_bytes, encode
from reports.content import ReportContent
from tests.reports.contents import make_content, make_pictures, make_signature


def test_comes_back_from_json_as_it_was() -> None:
    content = make_content(pictures=make_pictures(3)[0]).signed(make_signature())

    restored = ReportContent.from_json(json.loads(json.dumps(content.to_json())))

    assert restored == content
    assert restored.content_sha256 == content.content_sha256


def test_key_order_of_the_store_does_not_change_the_hash() -> None:
    content = make_content().signed(make_signature())
    shuffled = json.loads(json.dumps(content.to_json(), sort_keys=True))

    assert list(shuffled) != list(content.to_json())
    assert ReportContent.from_json(shuffled).content_sha256 == content.content_sha256


def test_the_time_zone_of_a_moment_does_not_change_the_hash() -> None:
    content = make_content()
    elsewhere = content.specimen.received_at.astimezone(timezone(timedelta(hours=2)))
    moved = replace(content, specimen=replace(content.specimen, received_at=elsewhere))

    assert moved.content_sha256 == content.content_sha256


def test_draft_hash_leaves_out_the_signature_alone() -> None:
    draft = make_content()
    signed = draft.signed(make_signature())

    assert signed.draft_sha256 == draft.draft_sha256 == draft.content_sha256
    assert signed.content_sha256 != draft.content_sha256
    assert make_content(interpretation="Other.").draft_sha256 != draft.draft_sha256


def test_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_content().interpretation = "x"  # type: ignore[misc]


def test_canonical_form_has_no_floats_and_no_spaces() -> None:
    assert b'"percent":"38.0"' in canonical_bytes(make_content())
    with pytest.raises(ContentError):
        encode(0.1)


@pytest.mark.parametrize(
    "damage",
    [
        {"extra": 1},
        {"schema_version": 99},
        {"interpretation": None},
        {"differential": {}},
        {"version": "1"},
        {"version": True},
    ],
)
def test_refuses_stored_content_that_does_not_fit(damage: dict[str, object]) -> None:
    with pytest.raises(ContentError):
        ReportContent.from_json({**make_content().to_json(), **damage})


def test_refuses_stored_content_with_a_missing_field() -> None:
    stored = make_content().to_json()
    del stored["limits"]

    with pytest.raises(ContentError, match="limits"):
        ReportContent.from_json(stored)


def test_naive_moments_are_not_taken_for_local_ones() -> None:
    naive = datetime(2026, 11, 20, 8, 10)
    content = make_content()

    with pytest.raises(ContentError):
        replace(content, specimen=replace(content.specimen, received_at=naive)).content_sha256  # noqa: B018
