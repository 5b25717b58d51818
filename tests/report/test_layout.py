import numpy as np
import pytest

from sim.report.layout import places
from sim.units import F64, I64


def ring(groups: int, size: int) -> I64:
    """Cliques of people, each tied to the next by one tie."""
    inside = [(g * size + a, g * size + b) for g in range(groups) for a in range(size) for b in range(a)]
    between = [(g * size, (g + 1) % groups * size + 1) for g in range(groups)]
    return np.array(inside + between)


def gaps(at: F64, ties: I64) -> F64:
    way = at[ties[:, 0]] - at[ties[:, 1]]
    out: F64 = np.sqrt((way * way).sum(axis=1))
    return out


def test_friends_stand_nearer_than_others_and_all_on_the_disc() -> None:
    people, ties = np.arange(60), ring(6, 10)
    at = places(people, ties)
    everybody = np.array([(a, b) for a in range(60) for b in range(a)])
    assert gaps(at, ties).mean() < 0.6 * gaps(at, everybody).mean()
    assert (np.hypot(*(at - 0.5).T) <= 0.5 + 1e-3).all()
    assert len({tuple(row) for row in at.tolist()}) == 60


def test_the_disc_is_filled_evenly() -> None:
    at = places(np.arange(400), ring(40, 10))
    inner = (np.hypot(*(at - 0.5).T) < 0.25).mean()  # a quarter of the area
    assert inner == pytest.approx(0.25, abs=0.02)


def test_the_same_people_stand_in_the_same_places_whoever_else_was_asked_before() -> None:
    first = places(np.arange(30), ring(3, 10))
    places(np.arange(12), ring(2, 6))
    assert (places(np.arange(30), ring(3, 10)) == first).all()


def test_nobody_and_one_alone() -> None:
    assert places(np.zeros(0, np.int64), np.zeros((0, 2), np.int64)).shape == (0, 2)
    assert np.isfinite(places(np.array([7]), np.zeros((0, 2), np.int64))).all()
