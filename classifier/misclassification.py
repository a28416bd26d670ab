"""Intervals of the differential that carry the classifier's own confusion; pure functions.

A cell that a human named counts as known. Of a cell that only the machine named, the true class
is latent: the machine calls a cell of class i by the word j with probability M_ij, and what is
known of M are its answers on cells of known class, those of the release's test and those of this
case. Of a word that the reader only corrected and never confirmed the case's cells are left out:
who corrects what is wrong and passes over what is right tells nothing of how often it is wrong.
Integrating over the latent classes is the Bayesian treatment of misclassified multinomial
data: Joseph, Gyorkos and Coupal, Am J Epidemiol 141:263, 1995, for two classes, by the Gibbs
sampler that is used here; Pérez, Girón, Martín, Ruiz and Rojano, RACSAM 101:71, 2007, for many.
Rogan and Gladen, Am J Epidemiol 107:71, 1978, corrected the estimate before, without its spread.

What it can't know: what the machine calls a cell of a class that it can't output (blast,
atypical lymphocyte, artefact). No data tell; such cells count only where a human named them. And
it holds where the machine errs as it did in the release's test; `benchmarks/interval_coverage.py`
shows how the intervals fail where a laboratory's pictures make it err more often.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv

from classifier.counting import CONFIDENCE

CHAINS = 64
BURN_IN = 12
KEPT_SWEEPS = 18
PRECISION = 1e-5

# One pseudo-observation a row of M, and one for the mix, shared by the classes (Perks, 1947).
PRIOR_WEIGHT = 1.0

Counts = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of the classes of a case's cells.

    `confusion` counts cells of known class by what the machine called them (true class by word,
    both in the order of `class_names`), referred cells left out, as they are from `unconfirmed`:
    how many cells each word of the machine has that no human has named. `named` counts the cells
    of the case that a human named although the machine was sure, by (true class, word). `known`
    counts all cells whose class is certain, those included.
    """

    class_names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    unconfirmed: Mapping[str, int]
    named: Mapping[tuple[str, str], int]
    known: Mapping[str, int]

    @property
    def seed(self) -> int:
        """A number that follows from the evidence alone: the same evidence, the same draws."""
        parts = (
            self.class_names,
            self.confusion,
            sorted(self.unconfirmed.items()),
            sorted(self.named.items()),
            sorted(self.known.items()),
        )
        return int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:8])


def intervals(evidence: Evidence, denominator: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return a 95 % interval of the share of each class of the denominator, limits in [0, 1].

    The lower limit is the a/2 quantile of the mixture, over draws of the latent classes, of
    Beta(k, n-k+1), the upper the 1-a/2 quantile of that of Beta(k+1, n-k), where k of n cells of
    the denominator are of the class in the draw. Without unconfirmed cells every draw is the
    same and the interval is exactly that of Clopper and Pearson. The same evidence gives the
    same numbers with the same version of NumPy.

    Empty if some draw leaves nothing in the denominator.

    Raises:
        ValueError: the confusion isn't square, of its classes, and of whole numbers from 0.
    """
    draws = draw_counts(evidence)
    none = np.zeros(1, dtype=np.int64)
    totals = sum((draws.get(name, none) for name in denominator), start=none)
    if not totals.all():
        return {}
    return {name: _limits(draws.get(name, none), totals) for name in denominator}


def draw_counts(evidence: Evidence) -> dict[str, Counts]:
    """Return for each class draws (all of one length) of the number of cells that are of it."""
    names = evidence.class_names
    words = np.array([evidence.unconfirmed.get(name, 0) for name in names])
    if words.any():
        latent = _sample(_answers(evidence), words, _named(evidence), evidence.seed)
    else:
        latent = np.zeros((1, len(names)), dtype=np.int64)
    drawn = {name: latent[:, place] for place, name in enumerate(names)}
    others = {name: np.zeros(len(latent), dtype=np.int64) for name in evidence.known}
    return {name: counts + evidence.known.get(name, 0) for name, counts in (others | drawn).items()}


def _answers(evidence: Evidence) -> Counts:
    answers = np.array(evidence.confusion)
    size = len(evidence.class_names)
    if answers.shape != (size, size) or answers.dtype.kind != "i" or (answers < 0).any():
        raise ValueError("a confusion counts cells, true class by word, of the same classes")
    return answers


def _named(evidence: Evidence) -> Counts:
    """Count this case's named cells, true class by word; other classes have no row."""
    return np.array(
        [
            [evidence.named.get((true, word), 0) for word in evidence.class_names]
            for true in evidence.class_names
        ]
    )


def _sample(answers: Counts, words: Counts, named: Counts, seed: int) -> Counts:
    """Draw how many of the unconfirmed cells are of each class: (draws, classes).

    Chains run side by side, each from a start of its own. One sweep draws the true classes of
    the cells of each word j, multinomial by p_i M_ij; then the mix p of the cells the machine
    was sure of; then each row of M: both Dirichlet, as counts and prior say. Referred cells are
    no part of p: they are another mix, and all named before a case is signed.
    """
    chance = np.random.default_rng(seed)
    size = len(words)
    prior = PRIOR_WEIGHT / size
    seen = (answers + named * (named.diagonal() > 0) + prior)[None]
    p = _dirichlet(chance, np.broadcast_to(words + named.sum(1) + prior, (CHAINS, size)))
    m = _dirichlet(chance, np.broadcast_to(seen, (CHAINS, size, size)))
    used = np.flatnonzero(words)
    kept = []
    for sweep in range(BURN_IN + KEPT_SWEEPS):
        joint = p[:, :, None] * m[:, :, used] + np.finfo(float).tiny
        odds = (joint / joint.sum(1, keepdims=True)).swapaxes(1, 2)
        latent = chance.multinomial(words[used], odds).swapaxes(1, 2)
        p = _dirichlet(chance, latent.sum(2) + named.sum(1) + prior)
        learnt = np.repeat(seen, CHAINS, axis=0)
        learnt[:, :, used] += latent
        m = _dirichlet(chance, learnt)
        if sweep >= BURN_IN:
            kept.append(latent.sum(2))
    return np.concatenate(kept)


def _dirichlet(chance: np.random.Generator, weights: Reals | Counts) -> Reals:
    drawn = chance.standard_gamma(weights) + np.finfo(float).tiny
    shares: Reals = drawn / drawn.sum(-1, keepdims=True)
    return shares


def _limits(counts: Counts, totals: Counts) -> tuple[float, float]:
    """Return the limits of the mixture over draws of Clopper and Pearson's distributions."""
    pairs, times = np.unique(
        np.stack(np.broadcast_arrays(counts, totals)), axis=1, return_counts=True
    )
    k, n = pairs.astype(float)
    weights = times / times.sum()
    tail = (1 - CONFIDENCE) / 2
    return (
        _quantile(k, n - k + 1, weights, tail),
        _quantile(k + 1, n - k, weights, 1 - tail),
    )


def _quantile(a: Reals, b: Reals, weights: Reals, level: float) -> float:
    """Return the quantile of a mixture of Beta(a, b), which lies between those of its parts.

    Beta(0, b) is all at 0 and Beta(a, 0) all at 1.
    """
    at_none, at_all = weights[a == 0].sum(), weights[b == 0].sum()
    if at_none >= level or at_all > 1 - level:
        return 0.0 if at_none >= level else 1.0
    inner = (a > 0) & (b > 0)
    a, b, weights = a[inner], b[inner], weights[inner]
    parts = betaincinv(a, b, level)
    low, high = float(parts.min()), float(parts.max())
    if at_none:
        low = 0.0
    if at_all:
        high = 1.0
    if high - low < PRECISION:
        return (low + high) / 2

    def excess(limit: float) -> float:
        return float(at_none + weights @ betainc(a, b, limit)) - level

    return float(brentq(excess, low, high, xtol=PRECISION))
