"""What is remembered of a picture to find it again: hashes and local features, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.errors import ImageRejected
from ml.preprocessing import decode_image

KEYPOINTS: Final = 96
SIDE: Final = 256
"""Longer side, in pixels, at which local features are sought."""

_CHUNK: Final = 256
_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class Features:
    """Of N pictures, in order; `reasons[i]` says why picture i could not be read, or is empty."""

    sha256: list[str]
    reasons: list[str]
    hashes: NDArray[np.uint64]
    """[N, 8]: the perceptual hash upright, then in the other turns and mirrorings."""
    descriptors: NDArray[np.uint8]
    """[N, 2, KEYPOINTS, 32]: ORB of the picture and of its mirror image; zeros are absent."""


def measure_files(
    paths: Sequence[Path], cache_dir: Path, *, workers: int = 2,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Features:  # fmt: skip
    """Measure every file, chunk by chunk; chunks already in `cache_dir` are not measured again."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    parts = []
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(paths), _CHUNK):
            chunk = paths[start : start + _CHUNK]
            parts.append(_chunk(chunk, cache_dir, pool))
            on_progress(len(chunk))
    return Features(
        sha256=[str(each) for part in parts for each in part["sha256"]],
        reasons=[str(each) for part in parts for each in part["reasons"]],
        hashes=_stack([part["hashes"] for part in parts], (8,), np.uint64),
        descriptors=_stack(
            [part["descriptors"] for part in parts], (2, KEYPOINTS, 32), np.uint8
        ),
    )  # fmt: skip


def _stack(parts: list[NDArray], shape: tuple[int, ...], kind: type) -> NDArray:
    return np.concatenate([np.empty((0, *shape), dtype=kind), *parts])


def _chunk(paths: Sequence[Path], cache_dir: Path, pool: ThreadPoolExecutor) -> dict[str, NDArray]:
    kept = cache_dir / f"{_stamp(paths)}.npz"
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as arrays:
            return dict(arrays)
    measured = list(pool.map(_measure, paths))
    sha256, reasons, hashes, descriptors = zip(*measured, strict=True)
    part = {
        "sha256": np.array(sha256),
        "reasons": np.array(reasons),
        "hashes": np.stack(hashes),
        "descriptors": np.stack(descriptors),
    }
    half = kept.with_suffix(".part.npz")
    np.savez(half, allow_pickle=False, **part)
    half.replace(kept)
    return part


def _stamp(paths: Sequence[Path]) -> str:
    """Names a chunk of files as they are now; a file that changed is measured again."""
    digest = hashlib.sha256(f"{_VERSION} {cv2.__version__}".encode())
    for path in paths:
        state = path.stat() if path.is_file() else None
        about = (state.st_size, state.st_mtime_ns) if state else None
        digest.update(f"{path}\0{about}\n".encode())
    return digest.hexdigest()[:24]


_Measured = tuple[str, str, NDArray[np.uint64], NDArray[np.uint8]]


def _measure(path: Path) -> _Measured:
    try:
        pixels = decode_image(path.read_bytes()).pixels
    except (ImageRejected, OSError) as error:
        nothing = np.zeros((2, KEYPOINTS, 32), dtype=np.uint8)
        return "", str(error), np.zeros(8, dtype=np.uint64), nothing
    grey = small_grey(pixels)
    descriptors = np.stack([_describe(grey), _describe(np.ascontiguousarray(grey[:, ::-1]))])
    return pixel_sha256(pixels), "", perceptual_hashes(grey), descriptors


def pixel_sha256(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of decoded uint8[H, W, 3] pixels and their size, whatever file they came in."""
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()


def small_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey picture uint8 with the longer side at most SIDE."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = SIDE / max(grey.shape)
    if scale >= 1:
        return np.asarray(grey, dtype=np.uint8)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def perceptual_hashes(grey: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """64 signs of low cosine frequencies, uint64[8], for the eight turns and mirrorings.

    After pHash (Zauner 2010), but with signs instead of a median, so that mirroring a picture
    flips the odd frequencies' bits and turning it swaps rows with columns.
    """
    square = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(square)[:8, :8]
    low[0, 0] = 0
    odd = np.where(np.arange(8) % 2, -1.0, 1.0)
    views = [
        block * rows[:, None] * columns[None, :]
        for block in (low, low.T)
        for rows in (np.ones(8), odd)
        for columns in (np.ones(8), odd)
    ]
    bits = np.stack([(view > 0).ravel() for view in views])
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel()


def find_keypoints(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """ORB corners float32[K, 2] (x, y) with descriptors uint8[K, 32] (Rublee et al. 2011)."""
    orb = cv2.ORB.create(nfeatures=KEYPOINTS, nlevels=3, edgeThreshold=18, patchSize=31)
    points, found = orb.detectAndCompute(grey, None)
    where = np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)
    descriptors = np.asarray(found if len(points) else np.empty((0, 32)), dtype=np.uint8)
    return where[:KEYPOINTS], descriptors[:KEYPOINTS]


def _describe(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    padded = np.zeros((KEYPOINTS, 32), dtype=np.uint8)
    _, descriptors = find_keypoints(grey)
    padded[: len(descriptors)] = descriptors
    return padded
