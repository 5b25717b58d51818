"""A settling desk for tests: one request at a time, in (time, event id) order, with plain books of every account."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from sim.contract import Clock, Effects, Mechanism, View
from sim.ledger.schema import ACCOUNTS, Postings, Records
from sim.units import DAY, HOUR

NAMES = {account.code: name for name, account in ACCOUNTS.items()}
ONCE = frozenset({"gift_deadline", "gift_claim"})
STOCK = frozenset({"order", "gift_order", "gift_swap", "restock", "put_back"})


class Desk:
    """Settles requests until none is left; `balance[currency, account, owner]` and `events` say what happened."""

    def __init__(self, view: View, *mechanisms: Mechanism, stock: int = 1_000) -> None:
        self.view, self.mechanisms = view, mechanisms
        self.kinds = {kind for m in mechanisms for kind in m.settles}
        self.queue: list[tuple[int, int, int, str, Records]] = []
        self.serial = 0
        self.stock = Counter(dict.fromkeys(range(view.world.variant_product.size), stock))
        self.open: set[int] = set()
        self.balance: dict[tuple[str, str, int], int] = defaultdict(int)
        self.events: dict[str, list[Records]] = defaultdict(list)
        self.messages: dict[str, list[Records]] = defaultdict(list)
        self.settled: Counter[str] = Counter()

    def put(self, kind: str, rows: Records) -> None:
        for i in range(rows.n):
            row = rows.take(np.array([i]))
            self.serial += 1
            heapq.heappush(self.queue, (int(row.time[0]), int(row.event[0]), self.serial, kind, row))

    def run(self) -> None:
        while self.queue:
            time, _, _, kind, row = heapq.heappop(self.queue)
            assert kind in self.kinds, kind
            tick = time // HOUR
            self.view.clock = Clock(tick, tick * HOUR, (tick + 1) * HOUR, time // DAY, tick % 24, True)
            granted = self._grant(kind, row)
            self.settled[kind] += granted
            for mechanism in self.mechanisms:
                if kind in mechanism.settles:
                    self.apply(mechanism.settle(self.view, kind, row, np.array([granted])))

    def _grant(self, kind: str, row: Records) -> bool:
        if kind in ONCE:
            subject = int(row.cause[0])
            won = subject in self.open
            self.open.discard(subject)
            return won
        if kind in STOCK:
            variant, asked = int(row.variant[0]), int(row.quantity[0])
            if asked > self.stock[variant]:
                return False
            self.stock[variant] -= asked
        return True

    def apply(self, fx: Effects) -> None:
        for kind, rows in fx.requests:
            self.put(kind, rows)
        for kind, rows in fx.events:
            self.events[kind].append(rows)
        for kind, rows in fx.messages:
            self.messages[kind].append(rows)
        for currency, postings in fx.posts:
            self.book(currency, postings)

    def book(self, currency: str, postings: Postings) -> None:
        columns = (postings.source, postings.source_owner, postings.target, postings.target_owner, postings.amount)
        for source, source_owner, target, target_owner, amount in zip(*(c.tolist() for c in columns), strict=True):
            assert amount > 0
            for code, owner, change in ((source, source_owner, -amount), (target, target_owner, amount)):
                account = ACCOUNTS[NAMES[code]]
                assert currency in account.currencies
                assert (owner == -1) == (account.owner == "none"), NAMES[code]
                key = (currency, NAMES[code], owner)
                self.balance[key] += change
                assert account.open or self.balance[key] >= 0, key

    def total(self, currency: str, account: str) -> int:
        return sum(v for (c, a, _), v in self.balance.items() if (c, a) == (currency, account))

    def rows(self, kind: str) -> Records:
        return Records.concat(self.events[kind])


def orders(view: View, columns: Iterable[dict[str, Any]]) -> Records:
    """Orders or gifts from plain dictionaries: time, user, peer, variant, quantity, amount."""
    listed = list(columns)
    world = view.world
    variant = np.array([c["variant"] for c in listed], np.int64)
    product = world.variant_product[variant]
    return Records(
        len(listed),
        time=[c["time"] for c in listed],
        event=np.arange(1, len(listed) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        user=[c["user"] for c in listed],
        peer=[c.get("peer", -1) for c in listed],
        merchant=world.product["merchant"][product],
        product=product,
        variant=variant,
        quantity=[c.get("quantity", 1) for c in listed],
        amount=[c["amount"] for c in listed],
    )
