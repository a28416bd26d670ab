"""A cell's morphology in words: what linear heads read from the pooled features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec, sha256_of
from ml.calibration import softmax
from ml.errors import ArtifactError

MORPHOLOGY_NAME: Final = "morphology.npz"

UNCERTAIN: Final = "uncertain"
"""Said of an attribute whose likeliest value is less probable than its head may state."""

DESCRIBED: Final = frozenset({"neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil"})
"""The classes whose cells were described to the heads; of others they know nothing."""

TITLES: Final[Mapping[str, str]] = {
    "cell_size": "Cell size",
    "cell_shape": "Cell shape",
    "nucleus_shape": "Nucleus",
    "nuclear_cytoplasmic_ratio": "Nuclear-cytoplasmic ratio",
    "chromatin_density": "Chromatin",
    "cytoplasm_vacuole": "Vacuoles",
    "cytoplasm_texture": "Cytoplasm texture",
    "cytoplasm_colour": "Cytoplasm colour",
    "granule_type": "Granule type",
    "granule_colour": "Granule colour",
    "granularity": "Granules",
}
"""The attributes of WBCAtt (Tsutsui, Pang and Wen, NeurIPS 2023) as a report names them."""

_WORDS: Final[Mapping[str, str]] = {
    "segmented-multilobed": "segmented, several lobes",
    "segmented-bilobed": "segmented, two lobes",
    "unsegmented-band": "unsegmented, band",
    "unsegmented-round": "unsegmented, round",
    "unsegmented-indented": "unsegmented, indented",
    "densely": "dense",
    "loosely": "loose",
    "yes": "present",
    "no": "absent",
    "nil": "none",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a cell: `value` as WBCAtt has it, or UNCERTAIN.

    `probability` is that of the likeliest value, calibrated on the validation fold; `likeliest`
    names that value even where it's uncertain.
    """

    name: str
    value: str
    probability: float
    likeliest: str

    @property
    def title(self) -> str:
        """The attribute as a report names it."""
        return TITLES.get(self.name, self.name.replace("_", " ").capitalize())

    @property
    def words(self) -> str:
        """The value as a report names it."""
        return _WORDS.get(self.value, self.value)


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """One multinomial logistic regression an attribute, over pooled features float32[K].

    `names` str[A] and for each, one under the other, its `values` str[V], `kernel` float16[V, K]
    and `bias` float32[V]; `owners` int64[V] say whose value each is. `temperatures` float32[A]
    calibrate, and below `limits` float32[A] an attribute is uncertain.
    """

    names: NDArray[np.str_]
    values: NDArray[np.str_]
    owners: NDArray[np.int64]
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperatures: NDArray[np.float32]
    limits: NDArray[np.float32]

    def __post_init__(self) -> None:
        count, total = len(self.names), len(self.values)
        is_whole = len(self.temperatures) == len(self.limits) == count
        is_whole = is_whole and len(self.owners) == len(self.bias) == len(self.kernel) == total
        if not is_whole or sorted(set(self.owners.tolist())) != list(range(count)):
            raise ArtifactError("The heads of morphology do not fit together.")

    def probabilities(self, features: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        """For each attribute float64[N, its values], calibrated, of features float32[N, K]."""
        logits = features @ self.kernel.T + self.bias
        return [
            softmax(logits[:, self.owners == place], float(temperature))
            for place, temperature in enumerate(self.temperatures)
        ]

    def values_of(self, place: int) -> list[str]:
        """The values of one attribute, in the order of its probabilities."""
        return [str(value) for value in self.values[self.owners == place]]


def describe(heads: Heads, features: NDArray[np.float32], class_name: str) -> tuple[Attribute, ...]:
    """Every attribute of one cell from its pooled features float32[K], in the heads' order.

    None of a cell that isn't of a DESCRIBED class: its morphology was never shown to the heads.
    """
    if class_name not in DESCRIBED:
        return ()
    found = []
    for place, rows in enumerate(heads.probabilities(features[np.newaxis])):
        best = int(rows[0].argmax())
        likeliest, probability = heads.values_of(place)[best], float(rows[0, best])
        is_sure = probability >= heads.limits[place]
        value = likeliest if is_sure else UNCERTAIN
        found.append(Attribute(str(heads.names[place]), value, probability, likeliest))
    return tuple(found)


def save_heads(heads: Heads, path: Path) -> None:
    """Write a compressed .npz, the kernel in halves."""
    np.savez_compressed(
        path,
        allow_pickle=False,
        names=heads.names,
        values=heads.values,
        owners=heads.owners,
        kernel=heads.kernel.astype(np.float16),
        bias=heads.bias,
        temperatures=heads.temperatures,
        limits=heads.limits,
    )


def read_heads(release_dir: Path, spec: ReleaseSpec) -> Heads | None:
    """The release's heads, None if it has none; ArtifactError if they aren't what its spec says."""
    if spec.morphology_sha256 is None:
        return None
    path = release_dir / MORPHOLOGY_NAME
    try:
        if sha256_of(path) != spec.morphology_sha256:
            raise ArtifactError(f"{path} is not the one that the spec names.")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        arrays["kernel"] = arrays["kernel"].astype(np.float32)
        return Heads(**arrays)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} holds no heads of morphology: {error}.") from error
