import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import draws, fast
from sim.fast import draws as twin

N = 1_000_000
EVENTS = draws.keys(1, "test", N)
KINDS = {
    "bits": draws.bits,
    "uniform": draws.uniform,
    "exponential": draws.exponential,
    "gumbel": draws.gumbel,
    "below": lambda name, event, index=0: draws.below(name, event, 1_000, index),
    "child": lambda name, event, index=0: draws.child(event, name, index),
}
SHAPES = {
    "an index for each": (EVENTS, np.arange(N)),
    "one index": (EVENTS, 7),
    "a negative index": (EVENTS[:9], -1),
    "one event": (EVENTS[3], np.arange(50, dtype=np.int32)),
    "a grid": (EVENTS[:40, None], np.arange(30)),
    "a grid of one index": (EVENTS[:40], np.array([[5]])),
    "every other": (EVENTS[:80:2], np.arange(80)[::2]),
    "none": (EVENTS[:0], np.arange(0)),
    "no events": (EVENTS[:0], 1),
    "no indices": (EVENTS[1], np.arange(0)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_equal_to_the_last_bit(kind, shape, monkeypatch):
    compiled = KINDS[kind]("a", *SHAPES[shape])
    monkeypatch.setattr(fast, "present", False)
    plain = KINDS[kind]("a", *SHAPES[shape])
    assert compiled.dtype == plain.dtype
    assert compiled.shape == plain.shape
    assert (compiled.view(np.uint64) == plain.view(np.uint64)).all()


WORDS = st.integers(0, 2**64 - 1).map(np.uint64)


@given(WORDS, WORDS)
def test_a_draw_at_one_address_is_the_same(event, index):
    purpose = draws.purpose("a")
    assert twin.bits_at(purpose, event, index) == draws.bits("a", event, index)[0]
    assert twin.uniform_at(purpose, event, index) == draws.uniform("a", event, index)[0]
    assert twin.exponential_at(purpose, event, index) == draws.exponential("a", event, index)[0]
    assert twin.gumbel_at(purpose, event, index) == draws.gumbel("a", event, index)[0]
    assert twin.below_at(purpose, event, np.uint64(77), index) == draws.below("a", event, 77, index)[0]
