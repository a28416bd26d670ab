"""The dense layer of a released network and where its feature maps look: what explains it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.artifacts import sha256_of
from ml.errors import ArtifactError
from ml.serving_form import read_form

HEAD_NAME: Final = "head.npz"


@dataclass(frozen=True, slots=True)
class FeatureGrid:
    """Cell `i` of a feature map looks at pixels around `stride * i + offset`, whole at centres."""

    stride: int
    offset: float

    def spread(self, coarse: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Lay float32[h, w] on the view, float32[size, size], between the cells' middles.

        Stretching it over the view instead would move it: MobileNetV2 pads only below and to the
        right, so at 128 px its four cells a side look at 31, 63, 95 and 127, not 16, 48, 80, 112.
        """
        scale, start = 1.0 / self.stride, -self.offset / self.stride
        matrix = np.array([[scale, 0.0, start], [0.0, scale, start]])
        laid = cv2.warpAffine(
            coarse,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(laid, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Weights float32[K, C] from K pooled feature maps to the logits of C classes, and the grid.

    The biases are left out, as no explanation depends on them.
    """

    kernel: NDArray[np.float32]
    grid: FeatureGrid


def write_head(release_dir: Path, head: Head) -> str:
    """Write head.npz; gives its SHA-256."""
    path = release_dir / HEAD_NAME
    stride, offset = head.grid.stride, head.grid.offset
    np.savez(path, allow_pickle=False, kernel=head.kernel, stride=stride, offset=offset)
    return sha256_of(path)


def read_head(release_dir: Path) -> Head:
    """The head that serving.json names; raises ArtifactError if it is missing or another."""
    path, named = release_dir / HEAD_NAME, read_form(release_dir).head_sha256
    if named is None:
        raise ArtifactError(
            f"{release_dir} cannot be explained yet; run `python -m ml export --release`."
        )
    try:
        if sha256_of(path) != named:
            raise ArtifactError(f"{path} is not the one that the serving form names.")
        with np.load(path, allow_pickle=False) as stored:
            grid = FeatureGrid(int(stored["stride"]), float(stored["offset"]))
            return Head(np.asarray(stored["kernel"], dtype=np.float32), grid)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError) as error:
        raise ArtifactError(f"{path} holds no head: {error}.") from error
