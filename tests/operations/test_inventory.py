import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import Clock
from sim.ledger.schema import Records
from sim.operations.inventory import Inventory
from sim.units import DAY, HOUR
from tests.operations.desk import Desk, orders
from tests.views import make_view, mechanism


def shop(**params):  # type: ignore[no-untyped-def]
    """One merchant with one product of one variant, opened; nothing is on the shelf until the desk has run."""
    view = make_view(users=4, merchants=1, products=1, variants=1, columns=Inventory.columns)
    inventory = mechanism(Inventory, view, **params)
    desk = Desk(view, inventory, stock=0)
    for kind, rows in inventory.agenda(view, 100).items():
        desk.put(kind, rows)
    return view, inventory, desk


def live(days: int, demand: int, **params: int) -> tuple[list[int], list[int], int]:
    """Stock and pieces on order at the end of each day of even demand at noon, and the pieces refused."""
    view, inventory, desk = shop(**params)
    stock, on_order = view.state["variant"]["stock"], view.state["variant"]["on_order"]
    shelf, ordered, refused = [], [], 0
    desk_apply = desk.apply

    def applied(fx):  # type: ignore[no-untyped-def]
        for _, column, index, amount in fx.tallies:
            assert column == "on_order"
            np.add.at(on_order, index, amount)
        desk_apply(fx)

    desk.apply = applied  # type: ignore[method-assign]
    for day in range(days):
        noon = [{"time": day * DAY + 12 * HOUR, "user": 0, "variant": 0, "amount": 1, "quantity": demand}]
        row = orders(view, noon)
        desk.put("order", row.with_(event=row.event + np.uint64(day)))
        later = [entry for entry in desk.queue if entry[0] >= (day + 1) * DAY]
        desk.queue = [entry for entry in desk.queue if entry[0] < (day + 1) * DAY]
        before = desk.settled["order"]
        desk.run()
        refused += demand * (1 - (desk.settled["order"] - before))
        desk.queue = later
        stock[0] = desk.stock[0]
        view.clock = Clock(day * 24 + 23, (day + 1) * DAY - HOUR, (day + 1) * DAY, day, 23, True)
        applied(inventory.close(view))
        shelf.append(int(stock[0]))
        ordered.append(int(on_order[0]))
    return shelf, ordered, refused


def test_stock_path_of_even_demand_by_hand() -> None:
    """S = 10, s = 4, Q = 6, lead 2 days, 3 a day.

    day 0: 10-3=7 (7 > 4). day 1: 4 <= 4, order 6, due at the start of day 4. day 2: 1, position 7. day 3: nothing
    for 3, one piece left: refused, position 7. day 4: 1+6-3=4, position 4: order 6, due on day 7. day 5: 1; day 6:
    refused; day 7: 4 and so on, every third day refused.
    """
    shelf, ordered, refused = live(10, 3, opening=10, reorder_point=4, reorder_quantity=6, lead_days=2)
    assert shelf == [7, 4, 1, 1, 4, 1, 1, 4, 1, 1]
    assert ordered == [0, 6, 6, 0 + 6, 6, 6, 6, 6, 6, 6]
    assert refused == 3 * 3


def test_no_lead_time_never_runs_out() -> None:
    shelf, ordered, refused = live(6, 3, opening=9, reorder_point=3, reorder_quantity=6, lead_days=0)
    assert refused == 0
    assert shelf == [6, 3, 6, 3, 6, 3]  # what is ordered in the night is there in the morning
    assert ordered == [0, 6, 0, 6, 0, 6]


def test_more_than_one_lot_is_ordered_when_one_does_not_reach_above_s() -> None:
    _, ordered, _ = live(1, 0, opening=3, reorder_point=20, reorder_quantity=5, lead_days=9)
    assert ordered == [20]  # 3 + 15 = 18 is not above 20; 3 + 20 = 23 is


@given(st.integers(0, 50), st.integers(0, 40), st.integers(1, 30))
def test_position_is_above_s_after_the_review_by_the_fewest_lots(opening: int, s: int, lot: int) -> None:
    _, (ordered,), _ = live(1, 0, opening=opening, reorder_point=s, reorder_quantity=lot, lead_days=3)
    assert ordered % lot == 0
    assert opening + ordered > s
    assert ordered == 0 or opening + ordered - lot <= s


def test_no_lot_size_means_no_reordering() -> None:
    shelf, ordered, refused = live(5, 2, opening=4, reorder_point=100, reorder_quantity=0, lead_days=1)
    assert (shelf, ordered, refused) == ([2, 0, 0, 0, 0], [0] * 5, 6)


@given(st.lists(st.tuples(st.integers(0, 3 * HOUR), st.integers(1, 4)), max_size=20), st.integers(0, 25))
def test_the_last_pieces_go_to_who_comes_first(asked: list[tuple[int, int]], opening: int) -> None:
    view, _, desk = shop(opening=opening, reorder_quantity=0)
    rows = orders(view, [{"time": 1 + t, "user": 0, "variant": 0, "amount": 1, "quantity": q} for t, q in asked])
    desk.put("order", rows)
    desk.run()
    left = opening
    for i in np.lexsort((rows.event, rows.time)).tolist():
        left -= int(rows.quantity[i]) if rows.quantity[i] <= left else 0
    assert desk.stock[0] == left
    assert desk.balance["stock", "shelf", 0] == left
    assert desk.balance["stock", "transit", 0] == opening - left


def test_opening_stock_is_on_the_shelf_at_second_0_and_written_down() -> None:
    view, inventory, desk = shop(opening=25)
    assert view.state["variant"]["on_order"].tolist() == [25]
    desk.run()
    restock = desk.rows("restock")
    assert (restock.time.tolist(), restock.quantity.tolist(), restock.cause.tolist()) == ([0], [-25], [0])
    assert desk.balance["stock", "shelf", 0] == 25
    assert desk.balance["stock", "factory", -1] == -25


def test_an_expired_gift_goes_back_to_the_shelf_in_the_next_tick() -> None:
    view, _, desk = shop(opening=2)
    gift = orders(view, [{"time": 100, "user": 1, "peer": 2, "variant": 0, "amount": 9}])
    desk.put("gift_order", gift)
    desk.open = set(gift.event.tolist())
    desk.run()
    assert desk.balance["stock", "reserved", 0] == 1
    desk.put("gift_deadline", gift.with_(time=DAY + 100, cause=gift.event))
    desk.run()
    back = desk.rows("put_back")
    assert back.time.tolist() == [DAY + HOUR]
    assert (desk.stock[0], desk.balance["stock", "shelf", 0], desk.balance["stock", "reserved", 0]) == (2, 2, 0)


@pytest.mark.parametrize(("sellable", "shelf", "scrap"), [(0, 7, 3), (2, 9, 1), (3, 10, 0)])
def test_a_returned_parcel_goes_to_the_shelf_as_far_as_it_can_be_sold(sellable: int, shelf: int, scrap: int) -> None:
    view, _, desk = shop(opening=10)
    order = orders(view, [{"time": 100, "user": 1, "variant": 0, "amount": 9, "quantity": 3}])
    desk.put("order", order)
    desk.put("delivery", order.with_(time=200))
    desk.put("return", order.with_(time=300, detail=sellable))
    desk.run()
    assert (desk.stock[0], desk.balance["stock", "shelf", 0]) == (shelf, shelf)
    assert desk.total("stock", "scrap") == scrap
    assert desk.total("stock", "customer") == 0


def test_a_swapped_gift_puts_the_old_style_back() -> None:
    """`offers.gift_packet` asks for the swap, and for the old style to be put back (detail 0)."""
    view = make_view(users=4, merchants=1, products=1, variants=2, columns=Inventory.columns)
    inventory = mechanism(Inventory, view, opening=1)
    desk = Desk(view, inventory, stock=0)
    for kind, rows in inventory.agenda(view, 1).items():
        desk.put(kind, rows)
    gift = orders(view, [{"time": 100, "user": 1, "peer": 2, "variant": 0, "amount": 9}])
    desk.put("gift_order", gift)
    desk.put("gift_swap", gift.with_(time=200, variant=1))
    desk.put("put_back", gift.with_(time=HOUR, quantity=-1))
    desk.put("parcel", gift.with_(time=HOUR, variant=1))
    desk.put("delivery", gift.with_(time=DAY, variant=1))
    desk.run()
    assert dict(desk.stock) == {0: 1, 1: 0}
    assert desk.total("stock", "reserved") == desk.total("stock", "transit") == 0
    assert desk.total("stock", "customer") == 1


def test_lone_and_stacked_worlds_order_alike() -> None:
    lone = make_view(users=4, seeds=(8,), columns=Inventory.columns)
    stacked = make_view(users=4, seeds=(7, 8), columns=Inventory.columns)
    one, two = (mechanism(Inventory, view).agenda(view, 1)["restock"] for view in (lone, stacked))
    assert one.event.tolist() == two.event[one.n :].tolist()
    assert np.unique(two.event).size == two.n


def test_a_merchant_without_the_mechanism_moves_nothing() -> None:
    view = make_view(users=4, merchants=2, columns=Inventory.columns)
    inventory = mechanism(Inventory, view, on=[False, True])
    assert set(inventory.agenda(view, 1)["restock"].merchant.tolist()) == {1}
    rows = orders(view, [{"time": 0, "user": 0, "variant": v, "amount": 1} for v in (0, 6)])
    ((_, postings),) = inventory.settle(view, "order", rows, np.array([True, True])).posts
    assert postings.item.tolist() == [6]
    assert inventory.settle(view, "order", Records(0), np.zeros(0, bool)).posts == []
