from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.study.plan import MOST_SEEDS_ABREAST, MOST_USERS_ABREAST, pieces, soonest, spent


@given(
    seeds=st.integers(1, 150),
    strategies=st.integers(1, 8),
    users=st.integers(1, 2_000_000),
    days=st.integers(1, 400),
    workers=st.integers(1, 9),
)
def test_every_strategy_meets_every_world_once_within_the_limits(
    seeds: int, strategies: int, users: int, days: int, workers: int
) -> None:
    found = pieces(seeds, strategies, users, days, workers)
    met = Counter((piece.strategy, number) for piece in found for number in piece.seeds)
    assert met == Counter((strategy, number) for strategy in range(strategies) for number in range(seeds))
    assert {piece.lane for piece in found} <= set(range(workers))
    largest = max(len(piece.seeds) for piece in found)
    assert largest <= MOST_SEEDS_ABREAST
    assert largest * users <= MOST_USERS_ABREAST or largest == 1


@pytest.mark.parametrize(
    ("seeds", "strategies", "users", "days", "workers", "wanted"),
    [
        (8, 4, 5_000, 60, 1, {0: [(0, 8), (1, 8), (2, 8), (3, 8)]}),  # one worker: nothing is cut
        (8, 4, 5_000, 60, 2, {0: [(0, 8), (1, 8)], 1: [(2, 8), (3, 8)]}),  # small worlds: strategies are dealt out
        (8, 2, 50_000, 2, 2, {0: [(0, 4), (1, 4)], 1: [(0, 4), (1, 4)]}),  # a short run: building counts most
        (2, 1, 5_000, 60, 2, {0: [(0, 1)], 1: [(0, 1)]}),
        (1, 1, 5_000, 60, 8, {0: [(0, 1)]}),
    ],
)
def test_hand_cases(
    seeds: int, strategies: int, users: int, days: int, workers: int, wanted: dict[int, list[tuple[int, int]]]
) -> None:
    found: dict[int, list[tuple[int, int]]] = {}
    for piece in pieces(seeds, strategies, users, days, workers):
        found.setdefault(piece.lane, []).append((piece.strategy, len(piece.seeds)))
    assert found == wanted


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 6))
def test_no_worker_is_idle_if_large_worlds_leave_enough_to_do(rounds: int, strategies: int, workers: int) -> None:
    """Worlds so large that each is a batch of its own: the lanes differ by one piece at most."""
    found = Counter(piece.lane for piece in pieces(rounds * workers, strategies, MOST_USERS_ABREAST, 90, workers))
    assert len(found) == workers
    assert max(found.values()) - min(found.values()) <= 1


def test_soonest_does_every_run_once_and_one_world_first() -> None:
    for seeds, strategies, users, workers in ((1, 1, 100, 1), (8, 4, 5_000, 2), (100, 3, 200_000, 4)):
        found = soonest(seeds, strategies, users, workers)
        runs = [(piece.strategy, seed) for piece in found for seed in piece.seeds]
        assert sorted(runs) == [(strategy, seed) for strategy in range(strategies) for seed in range(seeds)]
        assert [len(piece.seeds) for piece in found[:strategies]] == [1] * strategies
        assert max(len(piece.seeds) for piece in found) * users <= max(MOST_USERS_ABREAST, users)
        assert {piece.lane for piece in found} == set(range(min(workers, len(found))))


def test_spent_goes_from_nothing_to_all_and_slows_down() -> None:
    shares = [spent(8, 5_000, at / 8) for at in range(9)]
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(1.0)
    steps = [later - sooner for sooner, later in zip(shares, shares[1:], strict=False)]
    assert all(later <= sooner + 1e-9 for sooner, later in zip(steps, steps[1:], strict=False))  # those alone cost most
