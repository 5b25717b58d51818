"""The books: balances of every account that may not go negative, checked each time effects are applied."""

import numpy as np

from sim.errors import ConservationError
from sim.ledger.schema import ACCOUNTS, CURRENCIES, Postings, Table
from sim.units import I64, Array
from sim.world.world import World

_NAMES = {account.code: name for name, account in ACCOUNTS.items()}


class Books:
    """Balances of the closed accounts of a (stacked) world whose owner is a merchant or a variant."""

    def __init__(self, world: World) -> None:
        sizes = {"merchant": world.m, "variant": world.variant_product.size}
        self._balance: dict[tuple[str, int], I64] = {
            (currency, account.code): np.zeros(sizes[account.owner], np.int64)
            for currency in CURRENCIES
            for account in ACCOUNTS.values()
            if not account.open and account.owner in sizes
        }
        self._touched: list[tuple[str, int, Table]] = []
        per_world = {"user": world.users, "merchant": world.merchants, "variant": world.variants}
        self._per_world = np.zeros(len(ACCOUNTS), np.int64)  # owners per world, by account; 0 for no owner
        for account in ACCOUNTS.values():
            self._per_world[account.code] = per_world.get(account.owner, 0)

    def world_of(self, postings: Postings) -> Array:
        """The world of each move: that of its source's owner, or of its target's if the source has none."""
        source, target = self._per_world[postings.source], self._per_world[postings.target]
        of_target = postings.target_owner // np.maximum(target, 1)
        out: Array = np.where(source > 0, postings.source_owner // np.maximum(source, 1), of_target)
        return out

    def balance(self, currency: str, account: str) -> I64:
        """Balance per owner of a closed account."""
        return self._balance[currency, ACCOUNTS[account].code]

    def apply(self, currency: str, postings: Postings) -> None:
        """Book the moves. Raises ConservationError for an amount that is not positive."""
        if postings.n and int(postings.amount.min()) <= 0:
            first = int(np.argmax(postings.amount <= 0))
            raise ConservationError(
                f"event {int(postings.event[first]):016x} moves {int(postings.amount[first])} {currency}; "
                "a posting moves a positive amount, turn source and target round instead"
            )
        for side, owner, sign in (
            (postings.source, postings.source_owner, -1),
            (postings.target, postings.target_owner, 1),
        ):
            for code in _distinct(side):
                balance = self._balance.get((currency, code))
                if balance is None:
                    continue
                mine = side == code
                np.add.at(balance, owner[mine], sign * postings.amount[mine])
                if sign < 0:
                    self._touched.append((currency, code, postings.take(mine)))

    def check(self) -> None:
        """Raise ConservationError if an account that was drawn on since the last check is below zero."""
        for currency, code, postings in self._touched:
            short = self._balance[currency, code][postings.source_owner] < 0
            if short.any():
                first = int(np.argmax(short))
                raise ConservationError(
                    f"event {int(postings.event[first]):016x} leaves account {_NAMES[code]} of owner "
                    f"{int(postings.source_owner[first])} with {currency} below zero"
                )
        self._touched.clear()


def _distinct(codes: np.ndarray) -> list[int]:
    first = int(codes[0]) if codes.size else 0
    return [first] if (codes == first).all() and codes.size else sorted(set(codes.tolist()))
