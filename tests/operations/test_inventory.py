import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import Clock
from sim.ledger.schema import Records
from sim.operations.inventory import Inventory
from sim.units import DAY, HOUR
from tests.operations.desk import Desk, orders
from tests.views import apply, make_view, mechanism


def shop(**params):  # type: ignore[no-untyped-def]
    """One merchant with one product of one variant, opened; nothing is on the shelf until the desk has run."""
    view = make_view(users=4, merchants=1, products=1, variants=1, columns=Inventory.columns)
    inventory = mechanism(Inventory, view, **params)
    desk = Desk(view, inventory, stock=0)
    for kind, rows in inventory.agenda(view, 100).items():
        desk.put(kind, rows)
    return view, inventory, desk


def live(days: int, demand: int, fixed: bool = True, **params: float) -> tuple[list[int], list[int], int]:
    """Stock and pieces on order at the end of each day of even demand at noon, and the pieces refused."""
    view, inventory, desk = shop(**({"cover_days": 0.0} if fixed else {}), **params)
    stock, on_order = view.state["variant"]["stock"], view.state["variant"]["on_order"]
    shelf, ordered, refused = [], [], 0
    desk_apply = desk.apply

    def applied(fx):  # type: ignore[no-untyped-def]
        for _, column, index, amount in fx.tallies:
            np.add.at(view.state["variant"][column], index, amount)
        for _, column, values in fx.sets:
            view.state["variant"][column][:] = values
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
    """Opening 13, s = 7, Q = 6, lead 2 days, 3 a day (so that demand over the lead time, 6, is below s).

    Day 0: 10. Day 1: 7, position 7: order 6, due when day 4 begins. Day 2: 4, position 10. Day 3: 1, position 7:
    order 6, due on day 6. Day 4: 1 + 6 - 3 = 4, position 10. Day 5: 1, position 7: order 6, due on day 8. And so on.
    """
    shelf, ordered, refused = live(8, 3, opening=13, reorder_point=7, reorder_quantity=6, lead_days=2)
    assert shelf == [10, 7, 4, 1, 4, 1, 4, 1]
    assert ordered == [0, 6, 6, 12, 6, 12, 6, 12]
    assert refused == 0


def test_stock_path_with_lost_sales_by_hand() -> None:
    """Opening 3, s = 0, Q = 6, lead 1 day, 3 a day: an order is placed only when nothing is left.

    Day 0: 0, order 6, due when day 2 begins. Day 1: 3 pieces lost. Day 2: 6 - 3. Day 3: 0, order. Day 4: lost ...
    """
    shelf, ordered, refused = live(8, 3, opening=3, reorder_point=0, reorder_quantity=6, lead_days=1)
    assert shelf == [0, 0, 3, 0, 0, 3, 0, 0]
    assert ordered == [6, 6, 0, 6, 6, 0, 6, 6]
    assert refused == 3 * 3


def test_even_demand_is_forecast_exactly_from_the_first_day() -> None:
    """D = 5 whatever the half-life: s = 5 · (2 + 1) = 15 and Q = 5 · 4 = 20; opening 40.

    Days 0 to 4: 35, 30, 25, 20, 15: order 20, due when day 7 begins. 10, 5. Day 7: 20. Day 8: 15, order ...
    """
    params = {"reorder_point": 1, "reorder_quantity": 1, "lead_days": 2, "safety_days": 1.0, "cover_days": 4.0}
    shelf, ordered, refused = live(11, 5, fixed=False, opening=40, **params)
    assert shelf == [35, 30, 25, 20, 15, 10, 5, 20, 15, 10, 5]
    assert ordered == [0, 0, 0, 0, 20, 20, 20, 0, 20, 20, 20]
    assert refused == 0


def test_demand_is_the_weighted_mean_of_the_days_and_counts_what_was_refused() -> None:
    """Half-life of 1 day: weights 1, 1/2, 1/4 from the last day back; 0, 6 and 9 pieces are asked for.

    D = 0; (6 + 0) / 1.5 = 4; (9 + 3 + 0) / 1.75 = 6.86. With s = Q = D · 1 day, rounded and at least 0 and 1, and
    nothing arriving yet: position 0 <= 0, order 1; position 1 <= 4, order 4; position 5 <= 7, order 7.
    """
    params = {"reorder_point": 0, "reorder_quantity": 1, "lead_days": 1, "safety_days": 0.0, "cover_days": 1.0}
    view, inventory, _ = shop(opening=0, forecast_half_life_days=1.0, **params)
    view.state["variant"]["stock"][:] = 0
    ordered = []
    for day, pieces in enumerate((0, 6, 9)):
        rows = orders(view, [{"time": 0, "user": 0, "variant": 0, "amount": 1, "quantity": pieces}])
        apply(view, inventory.settle(view, "order", rows, np.array([False])))
        view.clock = Clock(day * 24 + 23, (day + 1) * DAY - HOUR, (day + 1) * DAY, day, 23, True)
        fx = inventory.close(view)
        ((_, restock),) = fx.requests
        ordered.append(-int(restock.quantity[0]))
        apply(view, fx)
    assert ordered == [1, 4, 7]


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
    assert not inventory.settle(view, "order", Records(0), np.zeros(0, bool)).posts
