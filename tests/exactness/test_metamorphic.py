"""What a change for the better may do, by frozen taste and first come, first served; and where naive laws end.

Whole runs are told apart by the first thing that differs in them: what comes after it lives in another world.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.config.model import Scenario
from sim.kernels import queue
from sim.ledger.reader import Ledger
from sim.offers.coupon import Coupon
from sim.people.buy import Buy
from sim.units import I64, Array, Bools
from sim.world.state import FOLLOWS
from tests.exactness.conftest import Run
from tests.exactness.small import Rows, ample, merchant_changed, still_market, tuned, without
from tests.views import make_view, mechanism, show

CHOICES = ("order", "order_refused", "gift_sent")  # what somebody wanted to have, whether she got it or not


# ------------------------------------------------------------------------------------------------------ a lower price


@given(
    seed=st.integers(0, 1_000),
    cheaper=st.integers(0, 5),
    cut=st.floats(0.0, 1.0),
    frozen=st.floats(0.0, 3.0),
    sensitivity=st.floats(0.0, 3.0),
    outside=st.floats(-3.0, 3.0),
)
def test_who_buys_it_at_a_price_buys_it_at_a_lower_one(
    seed: int, cheaper: int, cut: float, frozen: float, sensitivity: float, outside: float
) -> None:
    view = make_view(60, seeds=(seed,), price_sensitivity=sensitivity)
    session, product = np.repeat(np.arange(60), 12), np.tile(np.repeat(np.arange(6), 2), 60)
    channel = np.tile([0, view.channel("share_chat")], session.size // 2)
    price = view.world.product["price"][product]
    lower = np.where(product == cheaper, (price * cut).astype(np.int64), price)
    buy = mechanism(Buy, view, frozen_weight=frozen, nothing=outside)

    def bought(price: Array) -> tuple[I64, I64]:
        e = show(view, session, product, channel, price=price)
        chosen = buy.choose(view).chosen
        what = np.full(60, -1)
        what[e.session[chosen]] = e.product[chosen]
        return what, what == cheaper

    before, had_it = bought(price)
    after, has_it = bought(lower)
    assert has_it[had_it].all()
    assert (after[~has_it] == before[~has_it]).all()  # whoever is not won over does as she did


def test_a_lower_list_price_can_be_a_higher_one_to_pay() -> None:
    """All else is not equal where an offer begins at a price: below its minimum a coupon is worth nothing.

    So the law speaks of the price to pay; of a list price only where no offer, cap or budget for a gift hangs on it.
    """
    to_pay = []
    for price in (10_000, 9_900):
        view = make_view(1, 1, products=1, price=price, flags=FOLLOWS, coupon_until=10**6, columns=Coupon.columns)
        show(view, np.zeros(1, np.int64), np.zeros(1, np.int64))
        fx = mechanism(Coupon, view, value=10, min_spend=100).appraise(view)
        to_pay.append(price - sum(int(off.sum()) for _, off, _ in fx.discounts))
    assert to_pay == [9_000, 9_900]


@pytest.mark.slow
def test_in_a_run_the_first_to_choose_otherwise_choose_what_is_cheaper(
    scenario: Scenario, ledger: Ledger, write: Run
) -> None:
    """Nobody sees more of it for its price; so until somebody has chosen otherwise, all is equal for everybody."""
    for_themselves = without(scenario, "people.gift")  # who gives wants a price near her budget, not a low one
    before = Rows.of(write(for_themselves))
    product = most_wanted(before)
    after = Rows.of(write(cheaper(for_themselves, product)))
    changed, now = differing(before, after)
    first = min(tick for tick, *_ in now)
    assert min((tick for tick, *_ in changed), default=first) >= first
    assert {what for tick, _, what in now if tick == first} == {product}
    switched = {user for tick, user, _ in now if tick == first}
    assert {user for tick, user, _ in changed if tick == first} <= switched


@pytest.mark.slow
def test_where_people_do_not_meet_each_who_chooses_otherwise_began_with_what_is_cheaper(
    scenario: Scenario, write: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing heard or seen of others it holds of every life, not only of the first that changes."""
    still_market(monkeypatch)
    alone = ample(without(scenario, "people.gift", "people.share"))
    before = Rows.of(write(alone))
    product = most_wanted(before)
    changed, now = differing(before, Rows.of(write(cheaper(alone, product))))
    assert now
    for user in {user for _, user, _ in changed | now}:
        first = min(tick for tick, who, _ in changed | now if who == user)
        assert (first, user, product) in now


def most_wanted(rows: Rows) -> int:
    """The product that is asked for most."""
    return int(np.bincount(rows["product"][np.isin(rows["kind"], CHOICES)]).argmax())


def cheaper(scenario: Scenario, product: int) -> Scenario:
    """The scenario with one product an eighth cheaper than people are used to."""
    goods = [(key, name) for key, merchant in scenario.merchants.items() for name in merchant.products]
    key, name = goods[product]
    old = scenario.merchants[key].products[name]
    new = old.model_copy(
        update={"price": round(0.88 * old.price, 2), "customary_price": old.customary_price or old.price}
    )
    return merchant_changed(scenario, key, products={**scenario.merchants[key].products, name: new})


Choices = set[tuple[int, int, int]]


def differing(before: Rows, after: Rows) -> tuple[Choices, Choices]:
    """Choices (tick, user, product) that only one of the runs holds, and those that only the other does."""
    one, other = (choices(rows) for rows in (before, after))
    return one - other, other - one


def choices(rows: Rows) -> Choices:
    at = np.isin(rows["kind"], CHOICES)
    return set(zip(*(rows[name][at].tolist() for name in ("tick", "user", "product")), strict=True))


# ---------------------------------------------------------------------------------------------------- a longer deadline


@pytest.mark.slow
def test_a_longer_deadline_loses_no_gift(scenario: Scenario, ledger: Ledger, write: Run) -> None:
    """A gift that is sent under both deadlines (the same sender, session, product and friend) is taken under the longer
    one if it was under the shorter. Which gifts are sent may change: a refund, a taken gift are felt by people.
    """
    runs = [
        Rows.of(write(tuned(scenario, "platform.rules", gift_deadline_hours=4))),
        Rows.of(ledger),
        Rows.of(write(tuned(scenario, "platform.rules", gift_deadline_hours=96))),
    ]
    more = 0
    for shorter, longer in zip(runs[:-1], runs[1:], strict=True):
        same = gifts(shorter) & gifts(longer)
        early, late = ({gift for gift, *_ in same} & claimed(rows) for rows in (shorter, longer))
        assert early <= late
        assert len(same) > 20
        more += len(late - early)
    assert more > 0


STAR = """
title: Everybody gives to the one whom all know
extends: base
horizon: {start: 2025-01-20, days: 4, tick: 6h}
world: {people: {count: 100}, graph: {networkx: {generator: star_graph, n: 99}}}
people: {browse: {opens: 1.0}, gift: {everyday: 1.0}}
platform: {rivals: {attraction: 0}}
"""


@pytest.mark.slow
def test_a_longer_deadline_loses_no_gift_of_those_who_get_dozens(write: Run, tmp_path: Path) -> None:
    """Gifts do not crowd each other out of the inbox, as messages do."""
    (tmp_path / "star.yaml").write_text(STAR, "utf-8")
    star = load(tmp_path / "star.yaml").model_copy(update={"record": "all"})
    shorter, longer = (Rows.of(write(tuned(star, "platform.rules", gift_deadline_hours=hours))) for hours in (6, 96))
    assert "message_dropped" in longer["kind"]
    same = {gift for gift, *_ in gifts(shorter) & gifts(longer)}
    assert len(claimed(shorter) & same) > 100
    assert claimed(shorter) & same < claimed(longer) & same


def gifts(rows: Rows) -> set[tuple[int, ...]]:
    at = rows["kind"] == "gift_sent"
    return set(zip(*(rows[name][at].tolist() for name in ("event", "user", "peer", "variant")), strict=True))


def claimed(rows: Rows) -> set[int]:
    return set(rows["cause"][rows["kind"] == "gift_claimed"].tolist())


# ----------------------------------------------------------------------------------------------------------- more stock

pieces = st.integers(1, 5)
backs = st.integers(-5, -1)


def filled(quantity: Sequence[int], stock: int) -> Bools:
    """Which requests for one item are filled."""
    wanted = np.array(quantity, np.int64)
    return queue.first_come(np.zeros(wanted.size, np.int64), wanted, np.array([stock]))


@given(st.lists(st.just(1) | backs, max_size=30), st.integers(0, 12), st.integers(0, 6))
def test_of_single_pieces_more_stock_fills_every_order_that_less_did(
    quantity: list[int], stock: int, more: int
) -> None:
    """Whatever comes back in between."""
    assert (filled(quantity, stock + more) >= filled(quantity, stock)).all()


@given(st.lists(st.just(1), max_size=20), pieces, st.integers(0, 30), st.integers(0, 10))
def test_so_it_does_of_orders_of_one_size(quantity: list[int], size: int, stock: int, more: int) -> None:
    """As long as nothing comes back."""
    same = [size * one for one in quantity]
    assert (filled(same, stock + more) >= filled(same, stock)).all()


@given(st.lists(pieces, max_size=20), st.integers(0, 30), st.integers(0, 10))
def test_of_orders_of_any_size_more_stock_sells_at_least_as_many_pieces(
    quantity: list[int], stock: int, more: int
) -> None:
    """As long as nothing comes back.

    One piece more lets at most one order through that was refused, and that one takes all that is left: from then on
    nothing is sold, but everything is already. Repeat for each piece.
    """
    few, many = (int(np.array(quantity, np.int64)[filled(quantity, s)].sum()) for s in (stock, stock + more))
    assert many >= few


def test_beyond_that_more_stock_may_sell_less() -> None:
    """A large order that more stock lets through crowds out small ones; what comes back then finds a smaller rest."""
    assert filled([5, 2, 2], 4).tolist() == [False, True, True]  # two orders
    assert filled([5, 2, 2], 5).tolist() == [True, False, False]  # one order, though of more pieces
    assert filled([5, -4, 8], 4).tolist() == [False, True, True]  # eight pieces
    assert filled([5, -4, 8], 5).tolist() == [True, True, False]  # five pieces
    assert filled([3, -1, 3], 2).tolist() == [False, True, True]  # of one size, with something back: the second order
    assert filled([3, -1, 3], 3).tolist() == [True, True, False]  # ... goes to the first instead


@pytest.mark.slow
def test_in_a_run_more_on_the_shelf_refuses_nobody_who_was_served_until_lives_differ(
    scenario: Scenario, write: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders are of one piece, and nobody sees how full the shelves are, so that requests are the same at first.

    Who gets what she was refused comes again, and may then take another's last piece: so the law holds until the end
    of the first tick in which anybody fares otherwise, where it says who.
    """
    still_market(monkeypatch)
    few, more = (Rows.of(write(stocked(scenario, opening))) for opening in (1, 2))
    served, then = (fates(rows) for rows in (few, more))
    first = min(tick for tick, *_ in served ^ then)
    assert {fate for fate in served if fate[0] < first} == {fate for fate in then if fate[0] < first}
    before, after = ({fate[:-1]: fate[-1] for fate in some if fate[0] == first} for some in (served, then))
    assert before.keys() == after.keys()  # the same requests
    assert all(after[request] for request, granted in before.items() if granted)
    assert sum(after.values()) > sum(before.values())


def stocked(scenario: Scenario, opening: int) -> Scenario:
    """The scenario with so many pieces of everything, and none to come."""
    for key, merchant in scenario.merchants.items():
        shelf = merchant.operations["inventory"].model_copy(update={"opening": opening, "reorder_quantity": 0})
        shelf = shelf.model_copy(update={"cover_days": 0.0})
        scenario = merchant_changed(scenario, key, operations={**merchant.operations, "inventory": shelf})
    return scenario


def fates(rows: Rows) -> set[tuple[int, int, int, bool]]:
    """Of every order and gift: (tick, user, variant, whether it was filled)."""
    at = np.isin(rows["kind"], CHOICES)
    columns = (rows["tick"], rows["user"], rows["variant"], rows["kind"] != "order_refused")
    return set(zip(*(column[at].tolist() for column in columns), strict=True))
