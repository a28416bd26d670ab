"""Find pictures that show the same thing: the same pixels, copies, and overlapping frames.

Candidates come from two indexes: perceptual hashes over turns and mirrorings (copies, also small
ones), and ORB descriptors hashed into buckets (rotated copies and frames that share a part). A
candidate counts only if one picture, laid over the other, correlates with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.features import KEYPOINTS, Features, find_keypoints, small_grey
from ml.preprocessing import decode_image

Kind = Literal["same pixels", "copy", "overlap"]

_HASH_DISTANCE: Final = 8
_TABLES: Final = 16
_KEY_BITS: Final = (24, 40)
"""In small sets there is time for a looser key, which finds more."""
_SMALL_SET: Final = 2000
_BUCKET: Final = 8
_VOTES: Final = 2
_CANDIDATES: Final = (4000, 0.1)
"""At most so many candidates by descriptors, and so many more a picture: those with most votes."""

_INLIERS: Final = 6
_CORRELATION: Final = 0.8
_WHOLE_CORRELATION: Final = 0.9
"""PBC has cells photographed twice in other colours, which correlate by little more."""
_COPY_OVERLAP: Final = 0.7
_SMALLEST_OVERLAP: Final = 0.02


@dataclass(frozen=True, slots=True)
class Match:
    """Two pictures, by index, first < second, that show the same thing."""

    first: int
    second: int
    kind: Kind


def find_matches(
    paths: Sequence[Path], features: Features, *, on_progress: Callable[[], object] = lambda: None
) -> list[Match]:
    """Every confirmed pair, each once; unreadable pictures match nothing."""
    exact = _same_pixels(features)
    known = {(match.first, match.second) for match in exact}
    candidates = sorted((_by_hash(features) | _by_keypoints(features)) - known)
    matches = list(exact)
    with ThreadPoolExecutor(2) as pool:
        kinds = pool.map(lambda pair: _confirm(paths[pair[0]], paths[pair[1]]), candidates)
        for (first, second), kind in zip(candidates, kinds, strict=True):
            if kind:
                matches.append(Match(first, second, kind))
            on_progress()
    return matches


def join(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Union-find: for each of `count` things the least index that pairs connect it to."""
    parent = list(range(count))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    return [root(index) for index in range(count)]


def _same_pixels(features: Features) -> list[Match]:
    seen: dict[str, int] = {}
    matches = []
    for index, digest in enumerate(features.sha256):
        first = seen.setdefault(digest, index)
        if digest and first != index:
            matches.append(Match(first, index, "same pixels"))
    return matches


def _by_hash(features: Features) -> set[tuple[int, int]]:
    upright = features.hashes[:, 0]
    readable = np.array([not reason for reason in features.reasons], dtype=bool)
    pairs: set[tuple[int, int]] = set()
    for index in np.flatnonzero(readable):
        later = upright[index + 1 :]
        near = np.zeros(len(later), dtype=bool)
        for turned in features.hashes[index]:
            near |= np.bitwise_count(later ^ turned) <= _HASH_DISTANCE
        pairs.update((int(index), int(index + 1 + j)) for j in np.flatnonzero(near)
                     if readable[index + 1 + j])  # fmt: skip
    return pairs


def _by_keypoints(features: Features) -> set[tuple[int, int]]:
    """Pairs that share most buckets, at least _VOTES (locality-sensitive hashing)."""
    count = len(features.sha256)
    if count == 0:
        return set()
    flat = features.descriptors.reshape(-1, 32)
    present = np.flatnonzero(flat.any(axis=1))
    bits = flat[present]
    owner, is_mirror = np.divmod(present // KEYPOINTS, 2)
    rng = np.random.default_rng(0)
    length = _KEY_BITS[count >= _SMALL_SET]
    found = [
        _bucket_mates(_keys(bits, rng.permutation(256)[:length]), owner, is_mirror, count)
        for _ in range(_TABLES)
    ]
    codes, votes = np.unique(np.concatenate(found), return_counts=True)
    enough = codes[votes >= _VOTES], votes[votes >= _VOTES]
    limit = _CANDIDATES[0] + int(_CANDIDATES[1] * count)
    likely = enough[0][np.argsort(-enough[1], kind="stable")[:limit]]
    return set(zip((likely // count).tolist(), (likely % count).tolist(), strict=True))


def _keys(descriptors: NDArray[np.uint8], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read the chosen bits of each descriptor as one number."""
    keys = np.zeros(len(descriptors), dtype=np.int64)
    for bit in chosen.tolist():
        keys = keys << 1 | (descriptors[:, bit // 8] >> (bit % 8) & 1)
    return keys


def _bucket_mates(
    keys: NDArray[np.int64], owner: NDArray[np.int64], is_mirror: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Pairs first * count + second in buckets of at most _BUCKET, one mirrored at most."""
    order = np.argsort(keys, kind="stable")
    keys, owner, is_mirror = keys[order], owner[order], is_mirror[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    small = np.repeat(sizes, sizes) <= _BUCKET
    found = []
    for step in range(1, _BUCKET):
        mates = (keys[step:] == keys[:-step]) & small[step:] & (owner[step:] != owner[:-step])
        mates &= (is_mirror[step:] + is_mirror[:-step]) < 2
        here = np.flatnonzero(mates)
        pair = np.sort(np.stack([owner[here], owner[here + step]]), axis=0)
        found.append(pair[0] * count + pair[1])
    return np.concatenate(found)


def _confirm(first: Path, second: Path) -> Kind | None:
    """Lay the second picture over the first, whole or by its corners, and correlate."""
    one, two = _grey(first), _grey(second)
    if _turned_correlation(one, two) >= _WHOLE_CORRELATION:
        return "copy"
    for other in (two, np.ascontiguousarray(two[:, ::-1])):
        shared = _shared_area(one, other)
        if shared >= _SMALLEST_OVERLAP:
            return "copy" if shared >= _COPY_OVERLAP else "overlap"
    return None


def _grey(path: Path) -> NDArray[np.uint8]:
    return small_grey(decode_image(path.read_bytes()).pixels)


def _turned_correlation(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    """Best correlation over the eight turns and mirrorings, at 64 x 64."""
    target = cv2.resize(one, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    square = cv2.resize(two, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    views = [np.rot90(each, k) for each in (square, square[:, ::-1]) for k in range(4)]
    return max(_correlation(target.ravel(), view.ravel()) for view in views)


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), two - two.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def _shared_area(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    """Share of the first picture that the second covers, if it fits there; else 0."""
    (where, what), (other_where, other_what) = find_keypoints(one), find_keypoints(two)
    if min(len(what), len(other_what)) < _INLIERS:
        return 0.0
    matched = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(other_what, what)
    near = [match for match in matched if match.distance <= 64]
    if len(near) < _INLIERS:
        return 0.0
    source = other_where[[match.queryIdx for match in near]]
    target = where[[match.trainIdx for match in near]]
    cv2.setRNGSeed(0)
    turn, fitting = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=3.0)
    if turn is None or int(fitting.sum()) < _INLIERS or not _is_alike_in_scale(turn):
        return 0.0
    return _covered(one, two, turn)


def _is_alike_in_scale(turn: NDArray[Any]) -> bool:
    return 0.7 < float(np.hypot(turn[0, 0], turn[1, 0])) < 1.43


def _covered(
    one: NDArray[np.uint8], two: NDArray[np.uint8], turn: NDArray[Any]
) -> float:  # fmt: skip
    size = (one.shape[1], one.shape[0])
    inside = cv2.warpAffine(np.full_like(two, 255), turn, size) == 255
    laid = cv2.warpAffine(two, turn, size)
    if inside.sum() < 64:
        return 0.0
    score = _correlation(one[inside].astype(np.float32), laid[inside].astype(np.float32))
    return float(inside.mean()) if score >= _CORRELATION else 0.0


def groups_of(names: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[str]:
    """Join the groups `names` of N pictures along pairs; a joined group has its first name."""
    first_of: dict[str, int] = {}
    same_name = [(first_of.setdefault(name, i), i) for i, name in enumerate(names)]
    return [names[root] for root in join(len(names), [*same_name, *pairs])]


def conflicting(labels: Sequence[str], matches: Iterable[Match]) -> list[Match]:
    """Matches of whole pictures, not of mere overlaps, that were given two labels."""
    return [
        match
        for match in matches
        if match.kind != "overlap" and labels[match.first] != labels[match.second]
    ]


def compare_groups(truth: Sequence[str], found: Sequence[str]) -> tuple[int, int, int]:
    """Pairs of true groups that were found, all pairs of true groups, and pairs found beyond."""
    both, true, got = (
        sum(count * (count - 1) // 2 for count in Counter(names).values())
        for names in (zip(truth, found, strict=True), truth, found)
    )
    return both, true, got - both
