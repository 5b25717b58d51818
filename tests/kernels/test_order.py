"""Packed sorts against Python's own, on both sides of the length at which packing begins."""

import numpy as np
import pytest

from sim.kernels import order

LENGTHS = [0, 1, 50, order._LONG - 1, order._LONG, 5_000]


def expected(*columns):
    return sorted(range(len(columns[0])), key=lambda i: (*(int(c[i]) for c in columns), i))


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("span", [1, 3_600, 2**33, 2**50])
@pytest.mark.parametrize("ids", [3, 2**63])
def test_settling_order_is_time_then_event(n, span, ids):
    rng = np.random.default_rng(n + ids % 1000)
    time = rng.integers(-span, span, n)
    event = rng.integers(0, ids, n).astype(np.uint64) * np.uint64(2)
    assert order.settling(time, event).tolist() == expected(time, event)


@pytest.mark.parametrize("n", LENGTHS)
def test_ids_that_differ_only_in_their_lowest_bits(n):
    rng = np.random.default_rng(1)
    time, event = rng.integers(0, 2, n), np.uint64(2**63) + rng.integers(0, 2, n).astype(np.uint64)
    assert order.settling(time, event).tolist() == expected(time, event)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("span", [1, 40, 2**31 - 1])
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64])
def test_stable_order_of_small_keys(n, span, dtype):
    key = np.random.default_rng(2).integers(0, min(span, np.iinfo(dtype).max), n).astype(dtype)
    assert order.stable(key).tolist() == expected(key)
