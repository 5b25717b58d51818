"""The books refuse what would break conservation, and name the event."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.engine.books import Books
from sim.errors import ConservationError
from sim.ledger.schema import Postings, Records

WORLD = SimpleNamespace(m=4, users=10, merchants=2, variants=3, variant_product=np.zeros(6, np.int32))


def paid(event: int, amount: int) -> Records:
    return Records(1, event=event, time=1, user=12, merchant=3, amount=amount)


def test_escrow_takes_and_gives_back() -> None:
    books = Books(WORLD)
    rows = paid(5, 900)
    books.apply("fen", Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount))
    assert [books.balance("fen", "escrow", owner) for owner in range(4)] == [0, 0, 0, 900]
    books.apply("fen", Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount))
    assert [books.balance("fen", "escrow", owner) for owner in range(4)] == [0, 0, 0, 0]


def test_a_double_refund_is_caught_and_named() -> None:
    books = Books(WORLD)
    rows = paid(0xABC, 900)
    books.apply("fen", Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount))
    refund = Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount)
    books.apply("fen", refund)
    with pytest.raises(ConservationError, match="0000000000000abc leaves account escrow of owner 3"):
        books.apply("fen", refund)


def test_moves_booked_together_may_pass_through_an_account() -> None:
    books = Books(WORLD)
    rows = paid(5, 900)
    out = Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount)
    into = Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount)
    books.apply("fen", Postings.concat([out, into]))
    assert [books.balance("fen", "escrow", owner) for owner in range(4)] == [0, 0, 0, 0]


def test_a_negative_amount_is_refused() -> None:
    rows = paid(1, -5)
    with pytest.raises(ConservationError, match="positive amount"):
        Books(WORLD).apply("fen", Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount))
