import numpy as np
import pytest
from pydantic import ValidationError

from sim import draws
from sim.contract import Effects
from sim.ledger.schema import Records
from sim.operations.after_sale import AfterSale, AfterSaleParams
from sim.units import DAY, HOUR
from tests.views import apply, make_view, mechanism, post_inbox, post_outcome, seat, slots_of

N = 20_000
TIERS = (0.80, 0.75, 0.68, 0.60)


def view_of(users: int = 50, **overrides):  # type: ignore[no-untyped-def]
    return make_view(users=users, merchants=2, columns=AfterSale.columns, **overrides)


def paid(view, n: int, **columns) -> Records:  # type: ignore[no-untyped-def]
    """n orders of product 0, of users in turn, with addressed ids."""
    base = {
        "time": np.arange(n) % DAY,
        "event": draws.child(np.uint64(5), "order", np.arange(n)),
        "user": np.arange(n) % view.world.n,
        "merchant": 0,
        "product": 0,
        "variant": 0,
        "quantity": 1,
        "amount": 12_000,
    }
    return Records(n, **{**base, **columns})


def requests(fx: Effects) -> dict[str, Records]:
    return {kind: Records.concat(r for k, r in fx.requests if k == kind) for kind, _ in fx.requests}


def settle(made, view, kind: str, rows: Records, granted=True):  # type: ignore[no-untyped-def]
    return made.settle(view, kind, rows, np.broadcast_to(np.asarray(granted), (rows.n,)).copy())


def within(share: float, p: float, n: int) -> bool:
    """Within four standard errors of a binomial share."""
    return abs(share - p) < 4 * np.sqrt(p * (1 - p) / n)


# ------------------------------------------------------------------------------------------------ the parcel


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_share_within_72_hours_is_that_of_the_tier(tier: int) -> None:
    view = view_of(tier=tier)
    made = mechanism(AfterSale, view, within_72h=TIERS)
    orders = paid(view, N)
    took = requests(settle(made, view, "order", orders))["delivery"]
    seconds = took.time - orders.time
    assert (seconds == took.detail).all()
    assert seconds.min() >= 12 * HOUR
    share = TIERS[tier - 1]
    assert within((seconds <= 72 * HOUR).mean(), share, N)
    half = 1 - (1 - share) ** 0.25  # Rayleigh: at half the way after handling the exponent is a quarter
    assert within((seconds <= 42 * HOUR).mean(), half, N)


def test_a_gift_travels_to_its_recipients_tier_and_her_door() -> None:
    view = view_of(users=4, tier=np.array([1, 4, 1, 4]))
    made = mechanism(AfterSale, view, within_72h=(0.99, 0.9, 0.9, 0.01))
    gift = paid(view, N, user=0, peer=1, cause=draws.child(np.uint64(6), "gift", np.arange(N)))
    parcel = requests(settle(made, view, "parcel", gift))["delivery"]
    assert within((parcel.detail <= 72 * HOUR).mean(), 0.01, N)
    assert (parcel.cause == gift.cause).all()
    own = paid(view, N, user=0, peer=1)  # the friend who recommended it: the buyer opens the parcel herself
    own_parcel = requests(settle(made, view, "order", own))["delivery"]
    assert within((own_parcel.detail <= 72 * HOUR).mean(), 0.99, N)
    assert (own_parcel.cause == own.event).all()
    (_, message), *_ = settle(made, view, "delivery", parcel.take(np.arange(3))).messages
    assert (message.user == 1).all()
    assert (message.peer == 0).all()


def test_refused_orders_are_not_shipped() -> None:
    view = view_of()
    made = mechanism(AfterSale, view)
    orders = paid(view, 10)
    granted = np.arange(10) % 2 == 0
    shipped = requests(settle(made, view, "order", orders, granted))["delivery"]
    assert (shipped.cause == orders.event[granted]).all()
    assert not settle(made, view, "order", orders, False).requests


def test_every_parcel_ends_in_a_return_or_a_completion_never_both() -> None:
    view = view_of()
    made = mechanism(AfterSale, view)
    parcels = requests(settle(made, view, "order", paid(view, N)))["delivery"]
    fx = settle(made, view, "delivery", parcels)
    ends = requests(fx)
    back, done = ends["return"], ends["completion"]
    assert sorted([*back.cause.tolist(), *done.cause.tolist()]) == sorted(parcels.cause.tolist())
    ids = np.concatenate([parcels.event, parcels.cause, back.event, done.event, fx.messages[0][1].event])
    assert np.unique(ids).size == ids.size
    arrived = dict(zip(parcels.cause.tolist(), parcels.time.tolist(), strict=True))
    assert all(t == arrived[c] + 7 * DAY for t, c in zip(done.time.tolist(), done.cause.tolist(), strict=True))
    wait = back.time - np.array([arrived[c] for c in back.cause.tolist()])
    assert wait.min() > 0
    assert wait.max() <= 7 * DAY
    se = 7 * DAY / np.sqrt(12 * back.n)
    assert abs(wait.mean() - 3.5 * DAY) < 4 * se  # uniform over the window


def test_return_rate_is_that_of_the_facts_at_typical_satisfaction() -> None:
    """Linear in satisfaction: with quality q and late share l, rate · (1 + slope · (typical - q + penalty · l))."""
    for quality in (0.5, 0.64, 0.8):
        view = view_of(quality=quality, tier=1)
        made = mechanism(AfterSale, view, typical=0.64, return_slope=2.0, luck=0.2, late_penalty=0.1)
        parcels = requests(settle(made, view, "order", paid(view, N)))["delivery"]
        back = requests(settle(made, view, "delivery", parcels))["return"].n / N
        assert within(back, 0.05 * (1 + 2.0 * (0.64 - quality + 0.1 * 0.2)), N)


def test_default_people_and_goods_return_one_in_twenty() -> None:
    """Facts: store.return_rate_shelf_and_social 0.05, for goods of default quality 0.7 and default tier shares."""
    view = view_of(quality=0.7, tier=np.repeat([1, 2, 3, 4], [10, 12, 13, 15]))  # 0.20, 0.24, 0.26, 0.30
    made = mechanism(AfterSale, view)
    parcels = requests(settle(made, view, "order", paid(view, N)))["delivery"]
    assert within(requests(settle(made, view, "delivery", parcels))["return"].n / N, 0.05, N)


def test_returns_that_can_be_sold_again() -> None:
    view = view_of()
    made = mechanism(AfterSale, view, return_rate=1.0, return_slope=0.0, resellable=0.3)
    parcels = paid(view, N, quantity=2, detail=50 * HOUR, cause=1)
    back = requests(settle(made, view, "delivery", parcels))["return"]
    assert back.n == N
    assert set(back.detail.tolist()) == {0, 2}
    assert within((back.detail == 2).mean(), 0.3, N)


def test_no_window_no_returns() -> None:
    view = view_of()
    view.rules = {**view.rules, "return_window_days": 0}
    made = mechanism(AfterSale, view, return_rate=1.0)
    ends = requests(settle(made, view, "delivery", paid(view, 50)))
    assert ends.get("return", Records(0)).n == 0
    assert ends["completion"].n == 50


def test_the_receiver_returns_a_gift_and_the_sender_is_the_other_side() -> None:
    view = view_of()
    made = mechanism(AfterSale, view)
    rows = paid(view, 2, user=[3, 4], peer=[-1, 7])
    ((kind, events),) = settle(made, view, "return", rows).events
    assert kind == "returned"
    assert (events.user.tolist(), events.peer.tolist()) == ([3, 7], [-1, 4])


def test_batches_do_not_matter() -> None:
    view = view_of()
    made = mechanism(AfterSale, view)
    parcels = requests(settle(made, view, "order", paid(view, 40)))["delivery"]
    whole = requests(settle(made, view, "delivery", parcels))
    parts = [requests(settle(made, view, "delivery", parcels.take(np.array([i])))) for i in range(40)]
    for kind in ("return", "completion"):
        one = Records.concat(p[kind] for p in parts if kind in p)
        for name, column in whole[kind].columns().items() if kind in whole else ():
            assert column.tolist() == getattr(one, name).tolist()


# --------------------------------------------------------------------------------------------- the receiver


def message(view, user, merchant=0, satisfaction=800, n: int = 1, time=None, event=None) -> Records:  # type: ignore[no-untyped-def]
    delivered = draws.child(np.uint64(9), "delivered", np.arange(n)) if event is None else event
    return Records(
        n,
        time=np.arange(n) if time is None else time,
        event=draws.child(delivered, "parcel_arrived"),
        cause=delivered,
        user=user,
        merchant=merchant,
        product=0,
        quantity=1,
        detail=satisfaction,
    )


def loyalty(view, user: int, merchant: int = 0) -> float:  # type: ignore[no-untyped-def]
    slot = slots_of(view)
    return float(slot["loyalty"][user, slot["merchant"][user].tolist().index(merchant)])


def test_loyalty_is_the_moving_average_in_closed_form() -> None:
    """After k parcels of satisfaction s: s + (0.5 - s)(1 - w)^k, whether read one by one or all at once."""
    w, s = 0.3, 0.9
    view = view_of()
    made = mechanism(AfterSale, view, loyalty_weight=w)
    for k in range(1, 7):
        seat(view, user=np.array([4]), day=k)
        post_inbox(view, "parcel_arrived", message(view, [4], satisfaction=900))
        apply(view, made.deliver(view))
        assert loyalty(view, 4) == pytest.approx(s + (0.5 - s) * (1 - w) ** k, abs=1e-6)
    seat(view, user=np.array([5]))
    post_inbox(view, "parcel_arrived", message(view, 5, satisfaction=900, n=6))
    apply(view, made.deliver(view))
    assert loyalty(view, 5) == pytest.approx(s + (0.5 - s) * (1 - w) ** 6, abs=1e-6)


def test_parcels_read_together_count_in_order_of_arrival_and_per_merchant() -> None:
    view = view_of()
    made = mechanism(AfterSale, view, loyalty_weight=0.5)
    rows = message(view, [4, 4, 4], [0, 1, 0], [200, 700, 1000], n=3, time=[30, 20, 10])
    seat(view, user=np.array([4]))
    post_inbox(view, "parcel_arrived", rows)
    apply(view, made.deliver(view))
    assert loyalty(view, 4, 0) == pytest.approx(0.5 * (0.5 * 0.5 + 0.5 * 1.0) + 0.5 * 0.2)
    assert loyalty(view, 4, 1) == pytest.approx(0.5 * 0.5 + 0.5 * 0.7)


def test_reading_finds_the_lateness_that_the_parcel_had() -> None:
    view = view_of(users=500, tier=1)
    made = mechanism(AfterSale, view)
    orders = paid(view, 500, user=np.arange(500))
    parcels = requests(settle(made, view, "order", orders))["delivery"]
    fx = settle(made, view, "delivery", parcels)
    late = parcels.detail > 72 * HOUR
    assert 0 < late.sum() < 500
    post_inbox(view, "parcel_arrived", fx.messages[0][1])
    apply(view, made.deliver(view))
    slot = slots_of(view)
    assert slot["late"][:, 0] == pytest.approx(np.where(late, 0.0722, 0.0))
    apply(view, made.deliver(seat(view)))  # nothing new to read
    assert slot["late"][:, 0] == pytest.approx(np.where(late, 0.0722, 0.0))


def test_satisfaction_is_quality_luck_and_lateness() -> None:
    view = view_of(users=500, tier=1, quality=0.7)
    made = mechanism(AfterSale, view, luck=0.2, late_penalty=0.3)
    parcels = requests(settle(made, view, "order", paid(view, N)))["delivery"]
    (_, told), *_ = settle(made, view, "delivery", parcels).messages
    late = parcels.detail > 72 * HOUR
    for lateness, middle in ((False, 0.7), (True, 0.4)):
        found = told.detail[late == lateness] / 1000
        assert found.min() >= middle - 0.1 - 1e-3
        assert found.max() <= middle + 0.1
        assert abs(found.mean() - middle) < 4 * 0.2 / np.sqrt(12 * found.size) + 1e-3  # told in thousandths


def test_ratings_come_by_chance_and_stars_by_satisfaction() -> None:
    users = 10_000
    view = view_of(users=users)
    made = mechanism(AfterSale, view, rating_rate=0.3, star_cuts=(0.2, 0.4, 0.6, 0.8))
    satisfaction = np.arange(users) % 1000
    post_inbox(view, "parcel_arrived", message(view, np.arange(users), satisfaction=satisfaction, n=users))
    fx = made.deliver(view)
    ((kind, rating),) = fx.events
    assert kind == "rating"
    assert within(rating.n / users, 0.3, users)
    expected = 1 + np.minimum(satisfaction[rating.user] // 200, 4)
    assert rating.detail.tolist() == expected.tolist()
    assert np.unique(rating.event).size == rating.n
    apply(view, fx)
    assert view.state["merchant"]["ratings"].tolist() == [rating.n, 0]
    assert view.state["merchant"]["stars"].tolist() == [rating.detail.sum(), 0]


def test_default_goods_in_default_towns_are_rated_as_an_ordinary_shop() -> None:
    """The store score takes 4.5 stars for ordinary (`platform.store_score`); half a tenth of a star is close enough.

    Quality 0.7 and luck of 0.3 make 0.55..0.85 in time and 0.35..0.65 late, evenly; 0.3025 of parcels are late.
    """
    p = AfterSaleParams()
    late = 1 - np.dot(p.within_72h, (0.20, 0.25, 0.25, 0.30))
    even = 0.7 + p.luck * (np.arange(10_000) + 0.5) / 10_000 - p.luck / 2
    in_time, too_late = (1 + np.searchsorted(p.star_cuts, x, "right").mean() for x in (even, even - p.late_penalty))
    assert abs((1 - late) * in_time + late * too_late - 4.5) < 0.05


def test_a_refusal_disappoints_those_who_know_the_merchant() -> None:
    view = view_of(users=4, known=1, loyalty=0.8)
    made = mechanism(AfterSale, view, loyalty_weight=0.25)
    rows = paid(view, 3, user=[0, 1, 2], merchant=[0, 0, 1])
    post_outcome(view, "order", rows, granted=[False, True, False])
    apply(view, made.respond(view))
    slot = slots_of(view)
    assert slot["loyalty"][:, 0] == pytest.approx([0.6, 0.8, 0.8, 0.8])
    assert slot["late"][:, 0] == pytest.approx([0.0722, 0, 0, 0])
    assert (slot["merchant"][:, 1:] == -1).all()  # no relation begins with a refusal


def test_merchants_without_after_sale_send_nothing() -> None:
    view = view_of(users=4)
    made = mechanism(AfterSale, view, on=[False, True])
    rows = paid(view, 4, merchant=[0, 1, 0, 1], product=[0, 3, 0, 3])
    assert requests(settle(made, view, "order", rows))["delivery"].merchant.tolist() == [1, 1]
    assert not made.deliver(view).relations
    assert not made.respond(view).relations


def test_lone_and_stacked_worlds_alike() -> None:
    lone, stacked = (
        make_view(users=9, seeds=seeds, columns=AfterSale.columns, tier=np.tile(np.arange(9) % 4 + 1, len(seeds)))
        for seeds in ((8,), (7, 8))
    )
    orders = paid(lone, 9)
    one = requests(settle(mechanism(AfterSale, lone), lone, "order", orders))["delivery"]
    there = orders.with_(user=orders.user + 9, merchant=2, product=6, variant=12)
    two = requests(settle(mechanism(AfterSale, stacked), stacked, "order", there))["delivery"]
    assert one.time.tolist() == two.time.tolist()
    assert one.event.tolist() == two.event.tolist()


def test_parameters_that_make_no_sense_are_refused() -> None:
    for bad in ({"within_72h": (1.0, 0.5, 0.5, 0.5)}, {"star_cuts": (0.5, 0.4, 0.6, 0.7)}):
        with pytest.raises(ValidationError):
            AfterSaleParams(**bad)
