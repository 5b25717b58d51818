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
    books.check()
    assert books.balance("fen", "escrow").tolist() == [0, 0, 0, 900]
    books.apply("fen", Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount))
    books.check()
    assert books.balance("fen", "escrow").tolist() == [0, 0, 0, 0]


def test_a_double_refund_is_caught_and_named() -> None:
    books = Books(WORLD)
    rows = paid(0xABC, 900)
    books.apply("fen", Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount))
    for _ in range(2):
        books.apply("fen", Postings.move(rows, "escrow", rows.merchant, "wallet", rows.user, rows.amount))
    with pytest.raises(ConservationError, match="0000000000000abc leaves account escrow of owner 3"):
        books.check()


def test_a_negative_amount_is_refused() -> None:
    rows = paid(1, -5)
    with pytest.raises(ConservationError, match="positive amount"):
        Books(WORLD).apply("fen", Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount))


def test_the_world_of_a_move_is_that_of_whichever_side_has_an_owner() -> None:
    books = Books(WORLD)
    rows = paid(1, 5)
    fee = Postings.move(rows, "escrow", rows.merchant, "platform", -1, rows.amount)
    goods = Postings.move(rows, "factory", -1, "shelf", 4, 1)
    assert books.world_of(fee).tolist() == [1] and books.world_of(goods).tolist() == [1]
