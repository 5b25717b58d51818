import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger.schema import Records
from sim.operations.after_sale import AfterSale
from sim.operations.finance import Finance, split
from sim.operations.inventory import Inventory
from sim.units import DAY, HOUR
from tests.operations.desk import Desk, orders
from tests.views import make_view, mechanism

FEES = st.sampled_from([0.0, 0.0001, 0.006, 0.01, 0.05, 0.333, 0.5])
ORDER = st.fixed_dictionaries(
    {
        "time": st.integers(0, 3 * DAY),
        "user": st.integers(0, 19),
        "variant": st.integers(0, 11),
        "quantity": st.integers(1, 3),
        "amount": st.integers(1, 10**7),
    }
)
GIFT = st.tuples(ORDER, st.integers(0, 19), st.booleans())  # an order, its recipient, whether it is claimed


@given(st.lists(st.integers(0, 10**12), min_size=1), FEES, FEES)
def test_fees_and_rest_add_up_to_every_amount(amounts: list[int], platform: float, payment: float) -> None:
    amount = np.array(amounts, np.int64)
    parts = split(amount, platform, payment)
    assert (sum(parts) == amount).all()
    for part in parts:
        assert part.dtype == np.int64
        assert (part >= 0).all()


@pytest.mark.parametrize(
    ("amount", "platform", "payment", "parts"),
    [
        (10_000, 0.05, 0.006, (500, 60, 9_440)),
        (1, 0.05, 0.006, (0, 0, 1)),  # rounded down in the merchant's favour
        (19, 0.05, 0.006, (0, 0, 19)),
        (20, 0.05, 0.006, (1, 0, 19)),
        (17_200, 0.01, 0.006, (172, 103, 16_925)),
        (3, 0.5, 0.5, (1, 1, 1)),
    ],
)
def test_fees_of_known_amounts(amount: int, platform: float, payment: float, parts: tuple[int, int, int]) -> None:
    assert tuple(int(x[0]) for x in split(np.array([amount]), platform, payment)) == parts


@given(st.lists(ORDER, max_size=8), st.lists(GIFT, max_size=8), FEES)
def test_money_and_stock_end_where_they_belong(own: list[dict], gifts: list[tuple], fee: float) -> None:
    view = make_view(users=20, columns=(*Inventory.columns, *AfterSale.columns))
    view.rules = {**view.rules, "platform_fee": fee}
    finance = mechanism(Finance, view, courier_yuan=5.0, return_courier_yuan=7.0)
    inventory = mechanism(Inventory, view, opening=8, reorder_quantity=0)
    after_sale = mechanism(AfterSale, view, return_rate=0.5, return_slope=0.0, resellable=0.5)
    desk = Desk(view, finance, inventory, after_sale, stock=0)
    for kind, rows in inventory.agenda(view, 10).items():
        desk.put(kind, rows)
    desk.run()
    bought = orders(view, own)
    sent = orders(view, [{**order, "peer": peer} for order, peer, _ in gifts])
    sent = sent.with_(event=sent.event + np.uint64(1))
    desk.put("order", bought)
    desk.put("gift_order", sent)
    desk.open = set(sent.event.tolist())
    claimed = np.array([c for *_, c in gifts], np.bool_)
    serve_gifts(desk, sent, claimed)
    desk.run()
    check_books(desk, bought, sent, claimed, fee)


def serve_gifts(desk: Desk, sent: Records, claimed: np.ndarray) -> None:
    """What `offers.gift_packet` does: a parcel after a claim, a deadline for every gift."""
    settle = desk.mechanisms[0].settle

    def spied(view, kind, rows, granted):  # type: ignore[no-untyped-def]
        if kind == "gift_order" and granted[0]:
            late = not claimed[sent.event == rows.event[0]][0]
            event = rows.event + np.uint64(2)
            if late:
                desk.put("gift_deadline", rows.with_(time=rows.time + 24 * HOUR, cause=rows.event, event=event))
            else:
                desk.put("parcel", rows.with_(time=rows.time + HOUR, cause=rows.event, event=event))
        return settle(view, kind, rows, granted)

    desk.mechanisms[0].settle = spied  # type: ignore[method-assign]


def check_books(desk: Desk, bought: Records, sent: Records, claimed: np.ndarray, fee: float) -> None:
    """Every account against a sum over the rows that must have moved it."""
    completed, returned = desk.rows("completed"), desk.rows("returned")
    cost = desk.view.world.product["cost"]
    placed = desk.settled["order"] + desk.settled["gift_order"]
    assert placed == completed.n + returned.n + desk.settled["gift_deadline"]
    assert desk.settled["delivery"] == completed.n + returned.n
    platform, payment, rest = split(completed.amount, fee, 0.006)
    assert desk.total("fen", "escrow") == 0
    assert desk.total("fen", "platform") == int(platform.sum())
    assert desk.total("fen", "payment") == int(payment.sum())
    assert desk.total("fen", "wallet") == -int(completed.amount.sum())
    delivered = desk.rows("delivered")
    goods = int((cost[delivered.product] * delivered.quantity).sum() - (cost[returned.product] * returned.detail).sum())
    assert desk.total("fen", "supplier") == goods
    assert desk.total("fen", "courier") == 500 * delivered.n + 700 * returned.n
    assert desk.total("fen", "cash") == int(rest.sum()) - desk.total("fen", "supplier") - desk.total("fen", "courier")
    # stock: each piece is on a shelf, with a customer or scrapped; nothing is reserved or under way
    assert desk.total("stock", "reserved") == desk.total("stock", "transit") == 0
    assert desk.total("stock", "customer") == int(delivered.quantity.sum() - returned.quantity.sum())
    assert desk.total("stock", "scrap") == int((returned.quantity - returned.detail).sum())
    assert desk.total("stock", "factory") == -8 * 12
    for variant, left in desk.stock.items():
        assert desk.balance["stock", "shelf", variant] == left
    assert sum(amount for (currency, *_), amount in desk.balance.items() if currency == "fen") == 0


def test_a_gift_that_expires_is_refunded_to_its_sender() -> None:
    view = make_view(users=4)
    desk = Desk(view, mechanism(Finance, view))
    gift = orders(view, [{"time": 0, "user": 1, "peer": 2, "variant": 0, "amount": 9_900}])
    desk.put("gift_order", gift)
    desk.run()
    assert desk.balance["fen", "escrow", 0] == 9_900
    desk.open = set(gift.event.tolist())
    desk.put("gift_deadline", gift.with_(time=DAY, cause=gift.event))
    desk.run()
    assert {key: value for key, value in desk.balance.items() if value} == {}


def test_a_gift_that_was_claimed_is_not_refunded() -> None:
    view = make_view(users=4)
    desk = Desk(view, mechanism(Finance, view))
    gift = orders(view, [{"time": 0, "user": 1, "peer": 2, "variant": 0, "amount": 9_900}])
    desk.put("gift_order", gift)
    desk.put("gift_deadline", gift.with_(time=DAY, cause=gift.event))  # its subject is closed
    desk.run()
    assert desk.balance["fen", "escrow", 0] == 9_900


def test_wages_are_paid_every_day_by_those_who_have_staff() -> None:
    view = make_view(users=4, merchants=2)
    finance = mechanism(Finance, view, on=[True, False], wages_yuan_per_day=150.0, upkeep_yuan_per_day=12.34)
    agenda = finance.agenda(view, 30)
    desk = Desk(view, finance)
    for kind, rows in agenda.items():
        assert rows.time.tolist() == [day * DAY for day in range(30)]
        assert set(rows.merchant.tolist()) == {0}
        assert np.unique(rows.event).size == 30
        desk.put(kind, rows)
    desk.run()
    assert desk.total("fen", "staff") == 30 * 15_000
    assert desk.total("fen", "media") == 30 * 1_234
    assert desk.balance["fen", "cash", 0] == -30 * (15_000 + 1_234)
    assert desk.rows("wages").n == desk.rows("upkeep").n == 30


def test_refused_orders_and_merchants_without_finance_move_nothing() -> None:
    view = make_view(users=4, merchants=2)
    finance = mechanism(Finance, view, on=[True, False])
    rows = orders(view, [{"time": 0, "user": 0, "variant": v, "amount": 100} for v in (0, 6)])
    assert rows.merchant.tolist() == [0, 1]
    assert not finance.settle(view, "order", rows, np.array([False, True])).posts
    (_, postings), *others = finance.settle(view, "order", rows, np.array([True, True])).posts
    assert not others
    assert postings.target_owner.tolist() == [0]
