"""Listening hears every draw at the addresses that it listens for, changes none, and leaves nothing behind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim import draws, fast
from sim.study import listening
from sim.study.listening import Address, Draw, compared, told

KEYS = np.array([3, 7, 2**63 + 5], np.uint64)
KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "bits": lambda e, i: draws.bits("a/b", e, i),
    "uniform": lambda e, i: draws.uniform("a/b", e, i),
    "chance": lambda e, i: draws.chance("a/b", e, 0.5, i),
    "below": lambda e, i: draws.below("a/b", e, 10, i),
    "exponential": lambda e, i: draws.exponential("a/b", e, i),
    "gumbel": lambda e, i: draws.gumbel("a/b", e, i),
    "quantile": lambda e, i: draws.quantile(np.arange(5.0), "a/b", e, i),
}


@pytest.mark.parametrize("draw", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_draw_is_heard_in_batches_and_alone(draw: Callable[[Any, Any], Any]) -> None:
    wanted = int(KEYS[2])
    honest = draw(KEYS, 4), draw(KEYS[2:], 4), draw(KEYS[:, None], np.arange(3))
    with listening.to([wanted]) as heard:
        batch = draw(KEYS, 4)
        assert [*heard] == [Address(wanted, "a/b", 4)]
        alone, square = draw(KEYS[2:], 4), draw(KEYS[:, None], np.arange(3))
    for said, asked in zip((batch, alone, square), honest, strict=True):
        np.testing.assert_array_equal(said, asked)
    assert [*heard] == [Address(wanted, "a/b", index) for index in (4, 0, 1, 2)]
    for at, bits in heard.items():
        assert bits == int(draws.bits("a/b", KEYS[2:], at.number)[0])


def test_a_lone_draw_is_heard_first() -> None:
    with listening.to([7]) as heard:
        draws.uniform("a/b", KEYS[1], 2**64 - 1)
        draws.uniform("a/b", KEYS[0], 1)
    assert [*heard] == [Address(7, "a/b", 2**64 - 1)]


def test_names_of_events_are_no_draws() -> None:
    with listening.to([7]) as heard:
        draws.child(KEYS, "order", 1)
        draws.child(KEYS[1], "order", 1)
    assert not heard


def test_nothing_is_left_behind() -> None:
    before, quick = [getattr(draws, name) for name in listening.SOURCES], fast.present
    with pytest.raises(RuntimeError), listening.to([7]) as heard:
        raise RuntimeError
    assert [getattr(draws, name) for name in listening.SOURCES] == before
    assert fast.present == quick
    draws.uniform("a/b", KEYS)
    assert not heard


def test_two_engines_are_set_side_by_side() -> None:
    same, only, other = Address(1, "a/same", 0), Address(1, "b/only", 2), Address(2, "c/other", 2**63)
    half, quarter = 2**63, 2**62
    found = compared({same: half, only: half, other: half}, {same: half, other: quarter}, {2: "user 5", 1: "order 1"})
    assert [(draw.purpose, draw.differs) for draw in found] == [("c/other", True), ("a/same", False), ("b/only", True)]
    lines = [*told(found)]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["of", "user"],
        ["*", "c/other"],
        ["of", "order"],
        ["a/same", "0"],
        ["*", "b/only"],
    ]
    assert lines[2].split()[-2:] == ["0.500000", "0.250000"]
    assert lines[5].split()[-2:] == ["0.500000", "-"]
    assert max(map(len, lines)) <= 80


def test_what_differs_is_told_however_much_agrees() -> None:
    many = [Draw("x", f"a/{n}", n, 0.5, 0.5) for n in range(200)]
    lines = [*told([*many, Draw("y", "b/last", 0, 0.5, None)])]
    assert len(lines) == 1 + 2 + listening.TOLD + 1 + 1
    assert "b/last" in lines[-2]
    assert lines[-1] == f"  ... and {200 - listening.TOLD} more that agree"


def test_whose_draws_made_a_row() -> None:
    keys = draws.keys(3, "user", 9)
    visit = int(draws.child(keys[8], "visit", 5)[0])
    row = {"event": 11, "cause": 12, "kind": "order", "tick": 5, "user": 8, "peer": -1}
    names = listening.addresses([row], 3)
    assert [*names] == [11, 12, visit, int(keys[8])]
    assert names[int(keys[8])] == "user 8, for life"
    assert listening.addresses([{"event": 11, "amount": 5}], 3) == {11: f"event {11:016x}"}
