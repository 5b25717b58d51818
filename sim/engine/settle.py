"""Settling: requests and timers of a tick, stage by stage, each in (time, event id) order, first come first served."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from sim.contract import STAGES, Kind
from sim.errors import ContractError
from sim.kernels import queue
from sim.ledger.schema import Records
from sim.units import I32, U64, Array, Bools
from sim.world.state import State

Serve = Callable[[str, Records, Bools, Bools], None]


class Subjects:
    """What is open for "the first on it wins": unclaimed gifts, unused coupons. Sorted ids, and who holds each."""

    def __init__(self) -> None:
        self.open: U64 = np.zeros(0, np.uint64)
        self._holder: I32 = np.zeros(0, np.int32)  # -1: nobody in particular

    def add(self, subjects: Iterable[tuple[U64, Array]]) -> None:
        """Open subjects for these holders."""
        new = list(subjects)
        if new:
            ids = np.concatenate([self.open, *(some for some, _ in new)])
            order = np.argsort(ids, kind="stable")
            holder = np.concatenate([self._holder, *(some for _, some in new)])
            self.open, self._holder = ids[order], holder[order].astype(np.int32, copy=False)

    def remove(self, subjects: Iterable[U64]) -> None:
        """Close subjects; those that are not open are ignored."""
        gone = list(subjects)
        if gone:
            stay = ~queue.member(self.open, np.sort(np.concatenate(gone)))
            self.open, self._holder = self.open[stay], self._holder[stay]

    def named(self, rows: Records, granted: Bools) -> Records:
        """The rows, with the holder of its subject in `peer` where one was granted that has a holder."""
        won = granted.nonzero()[0]
        holder = self._holder[np.searchsorted(self.open, rows.cause[won])]
        if not (holder >= 0).any():
            return rows
        peer = rows.peer.copy()
        peer[won] = np.where(holder >= 0, holder, peer[won])
        return rows.with_(peer=peer)


class Desk:
    """The requests of one tick, by kind, until they are settled."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._waiting: dict[str, list[tuple[Records, bool]]] = {}
        self.open()

    def open(self) -> None:
        """Begin a tick: every stage is still to come."""
        self.stage = -1

    def takes(self, kind: str) -> bool:
        """Whether a request of this kind can still be settled in this tick."""
        return STAGES.index(self._stage(kind)) > self.stage

    def _stage(self, kind: str) -> str:
        stage = self._kinds[kind].stage if kind in self._kinds else ""
        if stage not in STAGES:
            raise ContractError(f"{kind!r} is not a kind of request; declare it with a stage, one of {STAGES}")
        return stage

    def put(self, kind: str, rows: Records, own: bool) -> None:
        """Add requests; `own` ones are those of this tick's sessions, whose outcome `respond` may read."""
        self._waiting.setdefault(kind, []).append((rows, own))

    def settle(self, state: State, subjects: Subjects, serve: Serve) -> None:
        """Settle all stages in turn; `serve(kind, rows, granted, own)` may put requests of later stages."""
        for self.stage, stage in enumerate(STAGES):
            kinds = sorted(k for k in self._waiting if self._kinds[k].stage == stage)
            rivals = [[kind] for kind in kinds] if stage == "plain" else [kinds] if kinds else []
            for together in rivals:
                self._settle_together(stage, together, state, subjects, serve)
        self.stage = len(STAGES)  # whatever is asked from now on is for a later tick

    def _settle_together(self, stage: str, kinds: list[str], state: State, subjects: Subjects, serve: Serve) -> None:
        """Settle kinds that ask for the same things."""
        batches = [(code, *batch) for code, kind in enumerate(kinds) for batch in self._waiting.pop(kind)]
        rows = Records.concat([b[1] for b in batches])
        sizes = [b[1].n for b in batches]
        order = rows.order()
        own = np.array([b[2] for b in batches]).repeat(sizes)[order]
        rows, granted = grant(stage, rows.take(order), state, subjects)
        if len(kinds) == 1:
            serve(kinds[0], rows, granted, own)
            return
        kind_of = np.array([b[0] for b in batches]).repeat(sizes)[order]
        for code, kind in enumerate(kinds):
            mine = (kind_of == code).nonzero()[0]
            serve(kind, rows.take(mine), granted[mine], own[mine])


def grant(stage: str, rows: Records, state: State, subjects: Subjects) -> tuple[Records, Bools]:
    """Who gets what she asked for; `rows` in settling order. Shared resources change here and nowhere else."""
    if stage == "plain":
        return rows, np.ones(rows.n, np.bool_)
    if stage in ("once", "last"):
        granted = queue.first_wins(rows.cause, subjects.open)
        rows = subjects.named(rows, granted)
        subjects.remove([rows.cause[granted]])
        return rows, granted
    if stage == "ticket":
        issued = state["merchant"]["members"]
        ticket = queue.tickets(rows.merchant, issued)
        np.add.at(issued, rows.merchant, 1)
        return rows.with_(detail=ticket), np.ones(rows.n, np.bool_)
    table, column, item = {
        "stock": ("variant", "stock", rows.variant),
        "coupon": ("merchant", "coupon_pool", rows.merchant),
    }[stage]
    return rows, _take(state[table][column], item, rows.quantity)


def _take(available: Array, item: Array, quantity: Array) -> Bools:
    granted = queue.first_come(item, quantity, available)
    np.subtract.at(available, item[granted], quantity[granted].astype(available.dtype))
    return granted
