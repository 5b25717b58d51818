"""Settling against a slow, obvious desk that serves one request at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import STAGES, Kind
from sim.engine.settle import Desk, Subjects, grant
from sim.errors import ContractError
from sim.ledger.schema import Records

KINDS = {
    "order": Kind("", stage="stock"),
    "put_back": Kind("", stage="stock"),
    "claim": Kind("", stage="once"),
    "deadline": Kind("", stage="once"),
    "parcel": Kind("", stage="plain"),
    "join": Kind("", stage="ticket"),
    "seen": Kind(""),
}


def state(stock: list[int]) -> dict[str, dict[str, np.ndarray]]:
    return {
        "variant": {"stock": np.array(stock, np.int64)},
        "merchant": {"coupon_pool": np.zeros(2, np.int64), "members": np.array([498, 0], np.int64)},
    }


requests = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(-3, 3), st.sampled_from(["order", "put_back"])),
    max_size=30,
)


@given(requests, st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_stock_is_given_one_request_at_a_time_by_time_then_event(
    asked: list[tuple[int, int, int, str]], stock: list[int]
) -> None:
    left = list(stock)
    expected = {}
    for event, (_, variant, quantity, _) in sorted(enumerate(asked, 1), key=lambda e: (e[1][0], e[0])):
        expected[event] = quantity <= left[variant] or quantity <= 0
        left[variant] -= quantity if expected[event] else 0

    now = state(stock)
    desk = Desk(KINDS)
    for event, (time, variant, quantity, kind) in reversed(list(enumerate(asked, 1))):
        desk.put(kind, Records(1, time=time, event=event, variant=variant, quantity=quantity), own=False)
    got: dict[int, bool] = {}
    desk.settle(
        now,
        Subjects(),
        lambda _, rows, granted, own: got.update(zip(rows.event.tolist(), granted.tolist(), strict=True)),
    )
    assert got == expected
    assert now["variant"]["stock"].tolist() == left
    assert min(left) >= 0


def test_of_a_claim_and_the_deadline_at_the_same_second_the_smaller_event_id_wins_and_the_other_is_refused() -> None:
    def winners(claim: int, deadline: int) -> dict[str, bool]:
        subjects = Subjects()
        subjects.add([(np.array([77], np.uint64), np.array([-1]))])
        desk = Desk(KINDS)
        desk.put("claim", Records(1, time=5, event=claim, cause=77), own=True)
        desk.put("deadline", Records(1, time=5, event=deadline, cause=77), own=False)
        won: dict[str, bool] = {}
        desk.settle(state([0]), subjects, lambda kind, rows, granted, own: won.update({kind: bool(granted[0])}))
        assert subjects.open.size == 0
        return won

    assert winners(claim=1, deadline=2) == {"claim": True, "deadline": False}
    assert winners(claim=2, deadline=1) == {"claim": False, "deadline": True}


def test_a_closed_or_unknown_subject_is_refused() -> None:
    subjects = Subjects()
    subjects.add([(np.array([1, 2, 3], np.uint64), np.array([-1, -1, -1]))])
    subjects.remove([np.array([2, 9], np.uint64)])
    rows = Records(3, time=[0, 0, 0], event=[1, 2, 3], cause=[2, 3, 9])
    _, granted = grant("once", rows, state([0]), subjects)
    assert granted.tolist() == [False, True, False]


def test_who_wins_a_subject_learns_for_whom_it_was_opened() -> None:
    subjects = Subjects()
    subjects.add([(np.array([30, 10], np.uint64), np.array([5, -1])), (np.array([20], np.uint64), np.array([7]))])
    rows = Records(4, time=[0, 1, 2, 3], event=[1, 2, 3, 4], cause=[20, 20, 10, 30], peer=[3, 3, 3, -1])
    rows, granted = grant("once", rows, state([0]), subjects)
    assert granted.tolist() == [True, False, True, True]
    assert rows.peer.tolist() == [7, 3, 3, 5]


def test_tickets_count_on_from_those_issued() -> None:
    now = state([0])
    rows, granted = grant(
        "ticket", Records(4, time=[0, 1, 2, 3], event=[1, 2, 3, 4], merchant=[0, 1, 0, 0]), now, Subjects()
    )
    assert granted.all()
    assert rows.detail.tolist() == [498, 0, 499, 500]
    assert now["merchant"]["members"].tolist() == [501, 1]


def test_what_a_stage_asks_of_a_later_stage_is_settled_in_the_same_tick() -> None:
    desk = Desk(KINDS)
    desk.put("order", Records(1, time=5, event=1, variant=0, quantity=1), own=True)
    served = []

    def serve(kind: str, rows: Records, granted: np.ndarray, own: np.ndarray) -> None:
        served.append(kind)
        if kind == "order":
            assert desk.takes("parcel") and not desk.takes("order") and not desk.takes("claim")
            desk.put("parcel", Records(1, time=6, event=2), own=False)

    desk.settle(state([1]), Subjects(), serve)
    assert served == ["order", "parcel"]
    first_stage = next(k for k, d in KINDS.items() if d.stage == STAGES[0])
    assert not desk.takes("parcel") and not desk.takes(first_stage)  # the tick is settled
    desk.open()
    assert desk.takes(first_stage)


def test_a_kind_without_a_stage_is_not_a_request() -> None:
    with pytest.raises(ContractError, match="declare it with a stage"):
        Desk(KINDS).takes("seen")
