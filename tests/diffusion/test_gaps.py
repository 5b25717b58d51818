"""Gaps from tables against exact fractions and a plain search."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.diffusion.gaps import BITS, CELLS, CROWDED, LOWEST, SHIFT, STRETCH, WIDTH, gaps, leap, level, levels

CHANCES = (0.0, 1e-18, 1e-7, 1e-4, 0.003, 0.039, 0.5, 0.97, 1.0)
ONLY = np.zeros((), np.int64)


def some_draws(limits):
    """Draws of all sizes, those at the limits and beside them among them."""
    rng = np.random.default_rng(1)
    beside = np.concatenate([limits[:-1] + step for step in (-1, 0, 1)])
    spread = np.concatenate([beside, rng.integers(0, 2**BITS, 2_000), 2 ** rng.integers(0, BITS, 500), [0]])
    return np.clip(spread, 0, 2**BITS - 1)


@pytest.mark.parametrize("p", CHANCES)
def test_limits_are_geometric(p):
    limits = gaps(np.array([p])).limits[:-1].tolist()
    for k in (1, 2, 17, STRETCH):
        exact = (1 - (1 - Fraction(p)) ** k) * 2**BITS
        assert abs(limits[k - 1] - exact) <= exact * Fraction(1, 2**45) + 1


@pytest.mark.parametrize("p", CHANCES)
def test_a_gap_is_found_as_a_plain_search_finds_it(p):
    tables = gaps(np.array([p]))
    draw = some_draws(tables.limits)
    found = leap(tables, draw, ONLY, np.full(draw.size, STRETCH))
    assert found.tolist() == np.searchsorted(tables.limits[:STRETCH], draw, "right").tolist()


@pytest.mark.parametrize("room", [1, 5, 40])
def test_of_a_gap_beyond_the_room_only_that_is_told(room):
    tables = gaps(np.array([0.3]))
    draw = some_draws(tables.limits)
    found = leap(tables, draw, ONLY, np.full(draw.size, room))
    exact = np.searchsorted(tables.limits[:STRETCH], draw, "right")
    assert ((found < room) == (exact < room)).all()
    assert (found == exact)[exact < room].all()


def test_levels_side_by_side_are_as_each_alone():
    tables = levels()
    draw = some_draws(tables.limits[:WIDTH])
    at = np.arange(draw.size) % (LOWEST + 1)
    together = leap(tables, draw, at, np.full(draw.size, STRETCH))
    alone = [
        leap(gaps(tables.bounds[[k]]), draw[[i]], ONLY, np.array([STRETCH]))[0] for i, k in enumerate(at.tolist()[:400])
    ]
    assert together[:400].tolist() == alone


def test_a_cell_that_is_not_crowded_holds_one_limit_at_most():
    tables = levels()
    for limits, guide in zip(tables.limits.reshape(-1, WIDTH), tables.guide.reshape(-1, CELLS), strict=True):
        limits = limits[:-1][limits[:-1] % (1 << SHIFT) > 0]  # at the low end of a cell it is passed by all draws there
        inside = np.bincount(limits >> SHIFT, minlength=CELLS)
        assert (inside[guide < CROWDED] <= 1).all()


@given(st.floats(0, 1))
def test_a_level_is_the_least_bound_that_holds(p):
    at, bounds = level(np.array([p]))[0], levels().bounds
    assert bounds[at] >= p
    assert at == LOWEST or bounds[at + 1] < p
    assert bounds[at] <= max(p * 1.125, 2.0**-20)
