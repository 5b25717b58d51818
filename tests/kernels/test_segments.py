"""Segments against loops over dictionaries of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import segments


@st.composite
def rows(draw):
    """Segments with values that are often equal, and ties that sometimes are."""
    segment = sorted(draw(st.lists(st.integers(-3, 6), max_size=30)))
    n = len(segment)
    value = draw(st.lists(st.sampled_from([-np.inf, -1.5, 0.0, 0.25, 7.0]), min_size=n, max_size=n))
    tie = draw(st.lists(st.sampled_from([0, 1, 2, 2**64 - 1]), min_size=n, max_size=n))
    return np.array(segment, np.int64), np.array(value, np.float64), np.array(tie, np.uint64)


def groups(segment):
    """Positions of each segment, in order."""
    return [[i for i, s in enumerate(segment) if s == value] for value in sorted(set(segment.tolist()))]


def ranking(group, value, tie):
    return sorted(group, key=lambda i: (-value[i], int(tie[i]), i))


@given(rows())
def test_places_in_segments(case):
    segment, _, _ = case
    parts = groups(segment)
    assert segments.starts(segment).tolist() == [part[0] for part in parts]
    assert segments.counts(segment).tolist() == [len(part) for part in parts]
    assert segments.rank(segment).tolist() == [place for part in parts for place in range(len(part))]
    assert np.flatnonzero(segments.first(segment)).tolist() == [part[0] for part in parts]


@given(rows())
def test_argmax_takes_the_best_of_each_segment(case):
    segment, value, tie = case
    expected = [ranking(part, value, tie)[0] for part in groups(segment)]
    assert segments.argmax(segment, value, tie).tolist() == expected


@given(rows(), st.lists(st.integers(0, 5), min_size=10, max_size=10), st.booleans())
def test_top_k_takes_the_k_best_of_each_segment(case, limits, integers):
    segment, value, tie = case
    if integers:
        value = np.clip(value, -2, 2).astype(np.int64)
    k = np.array(limits)[segment + 3]
    expected = {i for part in groups(segment) for i in ranking(part, value, tie)[: k[part[0]]]}
    assert set(np.flatnonzero(segments.top_k(segment, value, k, tie)).tolist()) == expected


def test_one_k_for_all_segments():
    segment, value = np.array([4, 4, 4, 9]), np.array([1.0, 3.0, 2.0, 0.0])
    assert segments.top_k(segment, value, 2, np.zeros(4, np.uint64)).tolist() == [False, True, True, True]
    assert not segments.top_k(segment, value, 0, np.zeros(4, np.uint64)).any()


@pytest.mark.parametrize("low", [np.iinfo(np.int64).min, 0])
def test_integer_extremes_keep_their_order(low):
    value = np.array([low, np.iinfo(np.int64).max, low + 1])
    assert segments.top_k(np.zeros(3, np.int64), value, 1, np.zeros(3, np.uint64)).tolist() == [False, True, False]


def test_long_inputs_agree_with_a_full_sort():
    rng = np.random.default_rng(5)
    segment = np.sort(rng.integers(0, 700, 6_000))
    value = rng.normal(size=6_000)
    tie = rng.integers(0, 2**63, 6_000).astype(np.uint64)
    kept = np.zeros(6_000, bool)
    for s in range(700):
        at = np.flatnonzero(segment == s)
        kept[at[np.argsort(-value[at])][:4]] = True
    assert (segments.top_k(segment, value, 4, tie) == kept).all()
    assert (segments.argmax(segment, value, tie) == np.flatnonzero(segments.top_k(segment, value, 1, tie))).all()


def test_empty_inputs():
    none, tie = np.zeros(0, np.int64), np.zeros(0, np.uint64)
    for answer in (segments.starts(none), segments.rank(none), segments.counts(none), segments.first(none)):
        assert answer.size == 0
    assert segments.argmax(none, none.astype(float), tie).dtype == np.int64
    assert segments.top_k(none, none.astype(float), 3, tie).size == 0
