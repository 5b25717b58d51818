"""The books: balances of every account that may not go negative, checked each time moves are booked."""

import numpy as np

from sim.errors import ConservationError
from sim.ledger.schema import ACCOUNTS, CURRENCIES, Postings
from sim.units import I64, Array
from sim.world.world import World

_NAMES = {account.code: name for name, account in ACCOUNTS.items()}


class Books:
    """Balances of the closed accounts of a (stacked) world whose owner is a merchant or a variant.

    All balances of a currency stand in one array: the accounts one after the other, each with a cell per owner; the
    first cell takes whatever moves in accounts that are not watched.
    """

    def __init__(self, world: World) -> None:
        sizes = {"merchant": world.m, "variant": world.variant_product.size}
        self._first = np.zeros(len(ACCOUNTS), np.int64)
        self._watched = np.zeros(len(ACCOUNTS), np.int64)  # 1 or 0
        cells = 1
        for account in ACCOUNTS.values():
            if not account.open and account.owner in sizes:
                self._first[account.code], self._watched[account.code] = cells, 1
                cells += sizes[account.owner]
        self._balance = {currency: np.zeros(cells, np.int64) for currency in CURRENCIES}

    def balance(self, currency: str, account: str, owner: int) -> int:
        """Balance of a closed account."""
        return int(self._balance[currency][self._first[ACCOUNTS[account].code] + owner])

    def apply(self, currency: str, postings: Postings) -> None:
        """Book moves that belong together; check that each moves something, and that no account ends below zero."""
        if not postings.n:
            return
        amount = postings.amount
        if int(amount.min()) <= 0:
            first = int(np.argmax(amount <= 0))
            raise ConservationError(
                f"event {int(postings.event[first]):016x} moves {int(amount[first])} {currency}; "
                "a posting moves a positive amount, turn source and target round instead"
            )
        balance = self._balance[currency]
        np.add.at(balance, self._cell(postings.target, postings.target_owner), amount)
        source = self._cell(postings.source, postings.source_owner)
        np.subtract.at(balance, source, amount)
        balance[0] = 0
        short = balance[source] < 0
        if short.any():
            first = int(np.argmax(short))
            raise ConservationError(
                f"event {int(postings.event[first]):016x} leaves account {_NAMES[int(postings.source[first])]} "
                f"of owner {int(postings.source_owner[first])} with {currency} below zero"
            )

    def _cell(self, account: Array, owner: Array) -> I64:
        return np.asarray(self._first[account] + owner * self._watched[account])
