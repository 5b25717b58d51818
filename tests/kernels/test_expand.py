"""Lists of friends: all of them, or those that a geometric walk reaches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import draws
from sim.elementary import log
from sim.kernels.expand import bound, expand, fan_out, neighbours

NAME = "test/fan_out"


def walk(start, stop, event, halvings):
    """One row's walk, gap by gap."""
    reached, at, gap = [], start, 0
    while True:
        if halvings:
            mean = -1.0 / log(1.0 - 2.0**-halvings)
            at += int(draws.exponential(NAME, np.uint64(event), gap)[0] * mean)
        if at >= stop:
            return reached
        reached.append(at)
        at, gap = at + 1, gap + 1


def as_pairs(found):
    return list(zip(found[0].tolist(), found[1].tolist(), strict=True))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=12))
def test_expand_lists_every_position(ranges):
    start = np.array([a for a, _ in ranges], np.int64)
    stop = np.array([a + length for a, length in ranges], np.int64)
    expected = [(i, at) for i, (a, length) in enumerate(ranges) for at in range(a, a + length)]
    assert as_pairs(expand(start, stop)) == expected


def test_neighbours_reads_the_lists():
    indptr, indices = np.array([0, 2, 2, 5]), np.array([7, 8, 1, 2, 3], np.int32)
    assert as_pairs(neighbours(indptr, indices, np.array([2, 0, 1, 2]))) == [
        (0, 1), (0, 2), (0, 3), (1, 7), (1, 8), (3, 1), (3, 2), (3, 3)
    ]  # fmt: skip
    assert as_pairs(neighbours(indptr, indices, np.zeros(0, np.int64))) == []


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=10),
    st.integers(0, 2**64 - 1),
)
def test_fan_out_is_the_walk_of_each_row(degrees, chosen, seed):
    indptr = np.concatenate(([0], np.cumsum(degrees)))
    rows = np.array([row % len(degrees) for row, _ in chosen], np.int32)
    halvings = np.array([h for _, h in chosen], np.int64)
    event = draws.child(np.uint64(seed), "share", np.arange(len(chosen)))
    expected = [
        (i, at)
        for i, row in enumerate(rows)
        for at in walk(int(indptr[row]), int(indptr[row + 1]), event[i], int(halvings[i]))
    ]
    assert as_pairs(fan_out(indptr, rows, event, halvings, NAME)) == expected


def test_a_row_does_not_depend_on_the_others():
    indptr = np.arange(0, 201 * 40, 40)
    rows, event = np.arange(200), draws.keys(3, "event", 200)
    halvings = np.arange(200) % 5
    owner, position = fan_out(indptr, rows, event, halvings, NAME)
    for i in range(0, 200, 17):
        alone = fan_out(indptr, rows[i : i + 1], event[i : i + 1], halvings[i : i + 1], NAME)[1]
        assert alone.tolist() == position[owner == i].tolist()


@pytest.mark.parametrize("halvings", [1, 2, 5, 9])
def test_counts_are_binomial(halvings):
    n, degree, p = 4_000, 100, 2.0**-halvings
    indptr = np.arange(0, (n + 1) * degree, degree)
    owner, position = fan_out(indptr, np.arange(n), draws.keys(8, "event", n), np.full(n, halvings), NAME)
    reached = np.bincount(owner, minlength=n)
    variance = degree * p * (1 - p)
    kurtosis = (1 - 6 * p * (1 - p)) / variance
    assert abs(reached.mean() - degree * p) < 4 * math.sqrt(variance / n)
    assert abs(reached.var() - variance) < 4 * variance * math.sqrt((2 + kurtosis) / n)
    place = np.bincount(position % degree, minlength=degree)  # every place in the list is as likely
    chi2 = ((place - n * p) ** 2 / (n * p * (1 - p))).sum()
    assert abs(chi2 - degree) < 4 * math.sqrt(2 * degree + degree / (n * p))


def test_bound_is_the_tightest_power_of_two():
    probability = np.array([2.0, 1.0, 0.75, 0.5, 0.4999, 0.25, 1e-3, 2.0**-20, 1e-9, 0.0])
    halvings = bound(probability)
    assert halvings.tolist() == [0, 0, 0, 1, 1, 2, 9, 20, 20, 20]
    inside = (probability <= 1) & (halvings < 20)
    assert (2.0 ** -halvings[inside] >= probability[inside]).all()
    assert (2.0 ** -(halvings[inside] + 1) < probability[inside]).all()
