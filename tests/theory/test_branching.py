"""Sharing as a branching process: Galton and Watson on a tree, against the closed forms.

If a share is forwarded by N people, N with mean R and generating function G, then a cascade has 1 / (1 - R) shares on
average for R < 1, has n shares with probability P(N_1 + ... + N_n = n - 1) / n (Otter 1949, Dwass 1969; of Borel and
Tanner's kind), and is extinct before generation k with probability G(G(...G(0))), k times, whose limit is the smallest
root of q = G(q). Trees of finite depth have the exact mean 1 + R + ... + R^depth.

*Made neutral, so that the theorem applies exactly:* everybody opens WeChat once a day, looks into Moments, notices and
opens all that she is shown (`opens`, `moments`, `click_rate` 1; attention and activity are traits of the test's world),
nobody but the roots buys, nothing is returned; all categories are as readily shared, everybody as sociable. Ties lead
from parent to child only, so that no news comes to the same person twice: among friends who tell one another back, the
second news of a day is no second chance, and a cascade is smaller than the branching process says.
R, G and all that follows are computed from the parameters, nothing is measured.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import binom

from tests.theory.chance import agrees, agrees_share, fits
from tests.theory.town import forest, shares, tell

pytestmark = pytest.mark.slow  # `make test` runs it


class Case(NamedTuple):
    """A way to share: its parameters, the trees, and the distribution of how many forward it."""

    share: str
    children: int
    depth: int
    trees: int
    offspring: np.ndarray  # probability of 0, 1, 2, ...

    @property
    def R(self) -> float:
        return float(self.offspring @ np.arange(self.offspring.size))

    @property
    def variance(self) -> float:
        return float(self.offspring @ np.arange(self.offspring.size) ** 2) - self.R**2


def moments(children: int, sees: float, forwards: float) -> np.ndarray:
    return binom.pmf(np.arange(children + 1), children, sees * forwards)


def chat(children: int, forwards: float) -> np.ndarray:
    """One friend is told."""
    return np.append([1 - forwards, forwards], np.zeros(children - 1))


SUBCRITICAL = {
    "Moments": Case("surfaces: [0, 0, 1], moments_reach: 0.5, forward: 0.5", 2, 6, 800, moments(2, 0.5, 0.5)),
    "chat": Case("surfaces: [1, 0, 0], forward: 0.5", 1, 12, 2_000, chat(1, 0.5)),
    "both": Case(
        "surfaces: [0.6, 0, 0.4], moments_reach: 0.4, forward: 0.5", 2, 6, 800,
        0.6 * chat(2, 0.5) + 0.4 * moments(2, 0.4, 0.5),
    ),
}  # fmt: skip
GROWING = Case("surfaces: [0, 0, 1], moments_reach: 0.9, forward: 0.8", 2, 7, 300, moments(2, 0.9, 0.8))


@pytest.fixture(scope="module", params=SUBCRITICAL)
def dying(request, tmp_path_factory):
    case = SUBCRITICAL[request.param]
    return case, *grow(case, tmp_path_factory)


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    return GROWING, *grow(GROWING, tmp_path_factory)


def grow(case, tmp_path_factory):
    """Shares of each cascade, and the generation of its last one."""
    graph = forest(case.trees, case.children, case.depth)
    size = graph.rows // case.trees
    roots = np.arange(case.trees) * size
    who, generation = shares(tell(graph, roots, tmp_path_factory.mktemp("trees"), case.depth + 1, case.share))
    tree = who // size
    last = np.zeros(case.trees, np.int64)
    np.maximum.at(last, tree, generation)
    assert np.array_equal(np.sort(who[generation == 0]), roots)  # each root begins one cascade
    return np.bincount(tree, minlength=case.trees), last


def progeny(case):
    """Mean and variance of the shares of a cascade in a tree of this depth."""
    mean, variance = 1.0, 0.0
    for _ in range(case.depth):
        mean, variance = 1 + case.R * mean, case.R * variance + case.variance * mean**2
    return mean, variance


def extinct(case, generations):
    """Chance that nobody shares in this generation."""
    q = 0.0
    for _ in range(generations):
        q = float(np.polynomial.polynomial.polyval(q, case.offspring))
    return q


def sizes(case):
    """Chance that a cascade has 1, 2, ... shares, as long as the tree is deep enough for all of them."""
    power, out = np.ones(1), []
    for n in range(1, case.depth + 2):
        power = np.convolve(power, case.offspring)
        out.append((power[n - 1] if n - 1 < power.size else 0.0) / n)
    return out


def test_a_cascade_has_one_over_one_minus_R_shares_on_average(dying):
    case, size, _ = dying
    mean, variance = progeny(case)
    error = math.sqrt(variance / case.trees)
    assert abs(1 / (1 - case.R) - mean) < error  # the trees are nearly endless
    agrees(size.mean(), mean, error, within=0.15)


def test_the_sizes_of_cascades_are_those_of_otter_and_dwass(dying):
    case, size, _ = dying
    fits(size, sizes(case), first=1)


def test_cascades_die_out_as_fast_as_the_iterated_generating_function_says(dying):
    case, _, last = dying
    for generation in (1, 2, 3):
        agrees_share((last < generation).sum(), case.trees, extinct(case, generation), within=0.2)


def test_where_R_exceeds_one_a_cascade_lives_on_with_the_chance_of_the_branching_process(growing):
    case, size, last = growing
    q = extinct(case, 1_000)  # the smallest root of q = G(q)
    assert case.R > 1 and 0 < q < 0.2
    assert extinct(case, 1_000) - extinct(case, case.depth) < math.sqrt(q * (1 - q) / case.trees)
    agrees_share((last < case.depth).sum(), case.trees, extinct(case, case.depth), within=0.6)
    mean, variance = progeny(case)
    agrees(size.mean(), mean, math.sqrt(variance / case.trees), within=0.2)
