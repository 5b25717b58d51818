from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim import draws
from sim.contract import Effects, View
from sim.kernels import queue
from sim.ledger.schema import Records
from sim.offers.gift_packet import GiftPacket, GiftPacketParams
from sim.operations.after_sale import AfterSale
from sim.operations.finance import Finance
from sim.operations.inventory import Inventory
from sim.units import DAY, HOUR, Array
from sim.world.giving import BIRTHDAY, OCCASIONS, THANKS
from tests.operations.desk import ONCE, Desk, orders
from tests.views import apply, make_calendar, make_view, mechanism, post_inbox, show, slots_of

ALL_RULES = {"gifts": True}


def stage(users: int = 200, gift: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, GiftPacket]:
    rules = overrides.pop("rules", {})
    columns = (*overrides.pop("columns", ()), *GiftPacket.columns)
    view = make_view(users, columns=columns, **overrides)
    view.rules = {**view.rules, **ALL_RULES, **rules}
    view.scratch["gift_peer"] = np.arange(users)[::-1].copy()
    return view, mechanism(GiftPacket, view, **(gift or {}))


def gifts(count: int, users: int, time: int = 9 * DAY + 5) -> Records:
    number = np.arange(count)
    return Records(
        count,
        time=time,
        event=draws.child(np.uint64(5), "gift_order", number),
        user=number % users,
        peer=(number + 1) % users,
        merchant=0,
        product=1,
        variant=2,
        quantity=1,
        amount=16_000,
    )


def rows_of(listed: list[tuple[str, Records]], kind: str) -> Records:
    return Records.concat([rows for name, rows in listed if name == kind])


def send(view: View, packet: GiftPacket, rows: Records) -> Effects:
    return packet.settle(view, "gift_order", rows, np.ones(rows.n, np.bool_))


def claimed(view: View, packet: GiftPacket, rows: Records) -> set[int]:
    """Gifts claimed before their deadline when all requests are settled in (time, event id) order."""
    sent = send(view, packet, rows)
    answers, deadlines = (rows_of(sent.requests, kind) for kind in ("gift_claim", "gift_deadline"))
    every = Records.concat([answers, deadlines])
    order = every.order()
    won = np.zeros(every.n, np.bool_)
    won[order] = queue.first_wins(every.cause[order], np.sort(np.concatenate([some for some, _ in sent.opens])))
    assert won.sum() == rows.n  # a gift is either claimed or expired
    return set(answers.cause[won[: answers.n]].tolist())


# --------------------------------------------------------------------------------------------------- acceptance


@pytest.mark.parametrize("hours", [2, 6, 12, 24, 48, 72])
@pytest.mark.parametrize(("acceptance", "median"), [(0.85, 1.0), (0.6, 4.0), (0.95, 0.5)])
def test_share_claimed_is_the_parameter_at_24_hours_and_the_formula_elsewhere(
    hours: int, acceptance: float, median: float
) -> None:
    n = 20_000
    view, packet = stage(
        500, {"acceptance_within_24h": acceptance, "answer_hours": median}, rules={"gift_deadline_hours": hours}, day=9
    )
    p = acceptance * (24 + median) / 24 * hours / (hours + median)
    count = len(claimed(view, packet, gifts(n, 500, time=9 * DAY + 12 * HOUR)))
    assert abs(count - n * p) < 4 * np.sqrt(n * p * (1 - p))
    assert hours != 24 or p == pytest.approx(acceptance)


@given(
    hours=st.lists(st.integers(1, 720), min_size=2, max_size=2).map(sorted),
    shares=st.lists(st.floats(0, 0.9), min_size=2, max_size=2).map(sorted),
)
@settings(max_examples=30)
def test_a_longer_deadline_or_a_higher_acceptance_never_loses_a_gift(hours: list[int], shares: list[float]) -> None:
    def taken(deadline: int, share: float) -> set[int]:
        view, packet = stage(50, {"acceptance_within_24h": share}, rules={"gift_deadline_hours": deadline}, day=9)
        return claimed(view, packet, gifts(300, 50))

    assert taken(hours[0], shares[0]) <= taken(hours[1], shares[0]) <= taken(hours[1], shares[1])


def test_half_of_the_willing_answer_within_the_median() -> None:
    view, packet = stage(gift={"answer_hours": 2.0})
    delay = packet.delay(gifts(20_000, 200))
    assert abs((delay <= 2 * HOUR).mean() - 0.5) < 4 * np.sqrt(0.25 / 20_000)
    assert abs((delay <= 6 * HOUR).mean() - 0.75) < 4 * np.sqrt(0.1875 / 20_000)


def test_an_acceptance_that_the_median_cannot_reach_is_refused() -> None:
    with pytest.raises(ValidationError, match="lower acceptance_within_24h or answer_hours"):
        GiftPacketParams(acceptance_within_24h=0.9, answer_hours=5)


def test_recipients_are_woken_at_their_second_and_find_the_gift_in_that_tick() -> None:
    view, packet = stage(300, day=9, hour=0)
    rows = gifts(300, 300)
    sent = send(view, packet, rows)
    found, (woken,) = rows_of(sent.messages, "gift"), sent.wakes
    assert (woken.time == found.detail).all() and (woken.user == found.user).all()
    tick = woken.time // HOUR * HOUR
    assert (tick >= view.clock.end).all()
    assert (found.time < tick).all() and (found.time >= view.clock.start).all()
    place = np.searchsorted(np.sort(rows.event), found.cause)
    gift = rows.take(np.argsort(rows.event)[place])
    assert (found.user == gift.peer).all() and (found.peer == gift.user).all()
    late = gift.time + packet.delay(gift) >= view.clock.end
    assert (found.detail == np.where(late, gift.time + packet.delay(gift), view.clock.end)).all()
    assert late.any() and not late.all()
    answers = rows_of(sent.requests, "gift_claim")
    assert (answers.time == found.detail).all()
    assert (answers.user == found.user).all() and (answers.cause == found.cause).all()


def test_claim_and_deadline_on_the_same_second_are_settled_by_event_id() -> None:
    view, packet = stage(100, {"swap_wish": 0.0}, day=9)
    sent = send(view, packet, gifts(600, 100))
    deadline = rows_of(sent.requests, "gift_deadline")
    shift = np.repeat([-1, 0, 1], 200)
    claim = draws.child(deadline.cause, "gift_claim")
    desk = GiftDesk(view, packet)
    desk.open = set(deadline.cause.tolist())
    desk.put("gift_deadline", deadline)
    desk.put(
        "gift_claim", deadline.with_(user=deadline.peer, peer=deadline.user, time=deadline.time + shift, event=claim)
    )
    desk.kinds |= {"parcel"}
    desk.run()
    gift = deadline.cause
    first = draws.child(gift, "gift_claim") < draws.child(gift, "gift_deadline")
    want = (shift < 0) | ((shift == 0) & first)
    assert set(desk.rows("gift_claimed").cause.tolist()) == set(gift[want].tolist())
    assert set(desk.rows("gift_expired").cause.tolist()) == set(gift[~want].tolist())
    assert 50 < (want & (shift == 0)).sum() < 150  # both happen


# ------------------------------------------------------------------------------------------------ the whole life


class GiftDesk(Desk):
    """A desk that knows which gifts are open."""

    def apply(self, fx: Effects) -> None:
        for subject, _ in fx.opens:
            self.open |= set(subject.tolist())
        super().apply(fx)


def lives(count: int, gift: dict[str, Any] | None = None, stock: int = 10_000, **rules: Any) -> tuple[GiftDesk, View]:
    columns = (*AfterSale.columns, *Inventory.columns)
    view, packet = stage(count + 1, gift, rules=rules, variants=3, stock=stock, columns=columns)
    crew = (packet, mechanism(AfterSale, view), mechanism(Finance, view), mechanism(Inventory, view, opening=0))
    desk = GiftDesk(view, *crew, stock=0)
    world = view.world
    variant = np.arange(world.variant_product.size)
    restock = Records(
        variant.size,
        event=variant + 1,
        merchant=world.product["merchant"][world.variant_product],
        variant=variant,
        product=world.variant_product,
        quantity=-stock,
    )
    desk.put("restock", restock)
    paid = [
        {"time": 60 * (i + 1), "user": i, "peer": i + 1, "variant": i % 6, "amount": 10_000 + i} for i in range(count)
    ]
    desk.put("gift_order", orders(view, paid))
    desk.run()
    return desk, view


def test_every_gift_ends_and_money_and_stock_are_conserved() -> None:
    desk, _ = lives(200, {"swap_wish": 0.5})
    sent, taken, expired = (desk.rows(kind) for kind in ("gift_sent", "gift_claimed", "gift_expired"))
    assert sent.n == 200 == taken.n + expired.n
    assert set(taken.cause.tolist()) | set(expired.cause.tolist()) == set(sent.event.tolist())
    delivered, returned, completed = (desk.rows(kind) for kind in ("delivered", "returned", "completed"))
    assert delivered.n == taken.n == returned.n + completed.n
    assert set(delivered.cause.tolist()) == set(taken.cause.tolist())
    assert desk.total("fen", "escrow") == 0
    assert sum(v for (currency, _, _), v in desk.balance.items() if currency == "fen") == 0
    assert desk.total("fen", "wallet") == -int(completed.amount.sum())
    assert desk.total("stock", "reserved") == desk.total("stock", "transit") == 0
    assert sum(v for (currency, _, _), v in desk.balance.items() if currency == "stock") == 0
    for variant, pieces in desk.stock.items():
        assert pieces == desk.balance["stock", "shelf", variant]


def test_an_expired_gift_is_refunded_in_full_at_the_deadline() -> None:
    desk, _ = lives(60, {"acceptance_within_24h": 0.0}, gift_deadline_hours=24)
    sent, expired = desk.rows("gift_sent"), desk.rows("gift_expired")
    assert expired.n == 60
    assert (expired.time[np.argsort(expired.user)] == sent.time[np.argsort(sent.user)] + 24 * HOUR).all()
    assert desk.total("fen", "wallet") == 0
    assert desk.total("stock", "shelf") == 10_000 * desk.view.world.variant_product.size


def test_the_recipient_owns_the_parcel_and_the_sender_the_refund() -> None:
    desk, _ = lives(100)
    delivered, returned = desk.rows("delivered"), desk.rows("returned")
    arrived = Records.concat(desk.messages["parcel_arrived"])
    assert (delivered.peer == delivered.user + 1).all()
    assert sorted(arrived.user.tolist()) == sorted(delivered.peer.tolist())
    assert (returned.user == returned.peer + 1).all()  # the recipient sends it back
    paid_back = [key for key, v in desk.balance.items() if key[1] == "wallet" and v == 0]
    assert {owner for _, _, owner in paid_back} >= set(returned.peer.tolist())


def test_a_sold_out_gift_is_refused_and_nobody_hears_of_it() -> None:
    desk, _ = lives(60, stock=5)
    assert desk.rows("gift_sent").n == 6 * 5
    assert desk.rows("order_refused").n == 60 - 30
    assert not set(desk.rows("order_refused").event.tolist()) & desk.open
    assert Records.concat(desk.messages["gift"]).n <= 30


# --------------------------------------------------------------------------------------------------------- swap


@pytest.mark.parametrize(
    ("rule", "shelf", "swapped"),
    [
        ("none", 9, False),
        ("only_when_out_of_stock", 9, False),
        ("only_when_out_of_stock", 0, True),
        ("same_product_other_style_same_price", 9, True),
    ],
)
def test_the_platform_says_who_may_swap(rule: str, shelf: int, swapped: bool) -> None:
    view, packet = stage(100, {"swap_wish": 1.0}, variants=3, rules={"gift_swap": rule}, stock=9)
    view.state["variant"]["stock"][2] = shelf
    taken = gifts(100, 100).with_(variant=2, product=0, cause=gifts(100, 100).event)
    fx = packet.settle(view, "gift_claim", taken, np.ones(100, np.bool_))
    swaps, parcels = rows_of(fx.requests, "gift_swap"), rows_of(fx.requests, "parcel")
    assert swaps.n + parcels.n == 100
    assert (swaps.n > 0) == swapped
    if swapped:
        assert abs(swaps.n - 200 / 3) < 4 * np.sqrt(100 * 2 / 9)  # one recipient in three likes what she got
        assert (swaps.detail == 2).all() and set(swaps.variant.tolist()) == {0, 1}
        assert (swaps.time == taken.time[0] + 1).all()


def test_a_swap_moves_one_piece_each_way_and_the_parcel_holds_the_new_one() -> None:
    desk, view = lives(150, {"swap_wish": 1.0, "acceptance_within_24h": 0.9})
    swapped, delivered = desk.rows("gift_swapped"), desk.rows("delivered")
    assert swapped.n > 50
    new = dict(zip(swapped.cause.tolist(), swapped.variant.tolist(), strict=True))
    for gift, variant in zip(delivered.cause.tolist(), delivered.variant.tolist(), strict=True):
        assert new.get(gift, variant) == variant
    product = view.world.variant_product
    assert (product[swapped.variant] == product[swapped.detail]).all()
    assert (swapped.variant != swapped.detail).all()
    back = desk.rows("put_back")
    assert set(swapped.event.tolist()) <= set(back.cause.tolist())


def test_a_swap_for_a_style_that_is_gone_sends_the_old_one() -> None:
    view, packet = stage(20, variants=3)
    row = gifts(1, 20).with_(cause=77, variant=1, detail=0)
    fx = packet.settle(view, "gift_swap", row, np.zeros(1, np.bool_))
    parcel = rows_of(fx.requests, "parcel")
    assert parcel.variant.tolist() == [0] and not fx.events
    assert not rows_of(fx.requests, "put_back").n


def test_the_swap_wish_is_the_parameter() -> None:
    n, p = 6_000, 0.3 * 2 / 3
    view, packet = stage(n, {"swap_wish": 0.3}, variants=3)
    taken = gifts(n, n).with_(variant=4, cause=gifts(n, n).event)
    fx = packet.settle(view, "gift_claim", taken, np.ones(n, np.bool_))
    assert abs(rows_of(fx.requests, "gift_swap").n - n * p) < 4 * np.sqrt(n * p * (1 - p))


# --------------------------------------------------------------------------------------- what can be given, and pages


@pytest.mark.parametrize(
    ("overrides", "rules", "allowed"),
    [
        ({}, {}, True),
        ({"price": 1_000_000}, {}, True),
        ({"price": 1_000_001}, {}, False),
        ({"price": 20_001}, {"gift_price_cap_yuan": 200.0}, False),
        ({"giftable": False}, {}, False),
        ({}, {"gift_excluded_categories": ("food", "clothes")}, False),
        ({}, {"gift_excluded_categories": ("appliances", "jewellery")}, True),
        ({}, {"gifts": False}, False),
    ],
)
def test_eligibility(overrides: dict[str, Any], rules: dict[str, Any], allowed: bool) -> None:
    view, packet = stage(rules=rules, **overrides)
    assert packet.eligible(view.rules).tolist() == [allowed] * 6
    assert bool(packet.expose(view).exposures and packet.expose(view).exposures[0]["product"].size) == allowed


def test_only_giftable_goods_of_merchants_with_gifts_are_listed() -> None:
    view = make_view(columns=GiftPacket.columns, giftable=np.array([True, False, True, True, True, False]))
    mechanism(GiftPacket, view, on=[False, True])
    assert view.shared("product", "gift_on").tolist() == [False, False, False, True, True, False]


def test_pages_are_for_those_with_a_friend_in_mind() -> None:
    view, packet = stage(40, planned=np.arange(40) % 2 == 0)
    view.scratch["gift_peer"][:20] = -1
    shown = packet.expose(view).exposures[0]
    assert np.unique(shown["session"]).tolist() == list(range(20, 40, 2))
    assert (np.bincount(shown["session"])[20::2] == 6).all()  # the default of the rule gift_places
    assert (shown["salience"] == GiftPacketParams().salience).all()
    assert (shown["cause"] == view.sessions.event[shown["session"]]).all()


@given(product=st.integers(0, 19), factor=st.floats(1.0, 30.0))
@settings(max_examples=15)
def test_a_gift_that_is_met_more_often_only_gains_places(product: int, factor: float) -> None:
    def shown(weight: Array) -> set[tuple[int, int]]:
        view, packet = stage(100, products=10, weight=weight)
        page = packet.expose(view).exposures[0]
        return set(zip(page["session"].tolist(), page["product"].tolist(), strict=True))

    more = np.ones(20)
    more[product] = factor
    before, after = shown(np.ones(20)), shown(more)
    assert {p for _, p in after - before} <= {product}
    assert product not in {p for _, p in before - after}


@pytest.mark.parametrize(("dressed", "pull", "appeal"), [(True, 0.8, 0.4), (True, 0.0, 0.0), (False, 0.8, 0.0)])
def test_an_occasion_page_follows_the_calendar(dressed: bool, pull: float, appeal: float) -> None:
    calendar = make_calendar()
    calendar.gift_pull[3] = pull
    view, packet = stage(10, {"occasion_page": dressed, "occasion_appeal": 0.5}, calendar=calendar, day=3)
    assert packet.expose(view).exposures[0]["appeal"] == pytest.approx(appeal)


def test_the_hook_is_cheap_for_senders_only() -> None:
    price = np.array([5_000, 1_990, 2_500, 9_000, 8_000, 1_500])
    view, packet = stage(4, {"hook_price": 18.5}, price=price)
    view.scratch["gift_peer"] = np.array([3, -1, 0, 1])
    show(view, np.array([0, 0, 1, 2, 3]), np.array([0, 1, 1, 5, 1]))
    ((at, off, layer),) = packet.appraise(view).discounts
    assert at.tolist() == [1, 4] and off.tolist() == [140, 140] and layer == "price"


def test_who_finds_a_gift_keeps_the_merchant_in_mind() -> None:
    view, packet = stage(3)
    post_inbox(view, "gift", gifts(2, 3).with_(user=[0, 2], merchant=[0, 1]))
    apply(view, packet.respond(view))
    assert slots_of(view)["merchant"][:, 0].tolist() == [0, -1, 1]
    assert not slots_of(view)["flags"].any()


def test_stacked_worlds_show_the_pages_that_they_show_alone() -> None:
    seen = []
    for seeds in ((3, 8), (3,), (8,)):
        view, packet = stage(60, products=8, seeds=seeds)
        view.scratch["gift_peer"] = np.zeros(60 * len(seeds), np.int64)
        page = packet.expose(view).exposures[0]
        seen.append(sorted(zip(page["session"].tolist(), page["product"].tolist(), strict=True)))
    assert seen[0] == seen[1] + [(s + 60, p + 16) for s, p in seen[2]]


def test_the_desk_knows_which_requests_the_first_wins() -> None:
    assert {kind for kind, what in GiftPacket.kinds.items() if what.stage == "once"} == ONCE


# ------------------------------------------------------------------------------- occasions, badge, personal message


def test_tags_please_senders_with_that_occasion_in_mind_and_put_off_others() -> None:
    view, packet = stage(5, {"occasions": ["qixi", "birthday"], "occasion_match": 0.7, "occasion_mismatch": 0.1})
    view.scratch["gift_peer"][4] = -1
    view.scratch["gift_occasion"] = np.array([BIRTHDAY, OCCASIONS.index("qixi"), THANKS, -1, -1])
    show(view, np.arange(5), np.zeros(5, int))
    (appeal,) = packet.appraise(view).appeals
    assert appeal.tolist() == [0.7, 0.7, -0.1, 0.0, 0.0]


def test_an_unknown_occasion_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown occasion 'double_11'; one of spring_festival"):
        GiftPacketParams(occasions=("double_11",))


@given(st.lists(st.integers(0, 5_000), min_size=6, max_size=6), st.floats(0.01, 3))
@settings(max_examples=20)
def test_the_badge_grows_with_the_log_of_gifts_and_is_seen_by_all(gifted: list[int], worth: float) -> None:
    view, packet = stage(6, {"badge": worth}, gifted=gifted, giftable=np.array([1, 1, 1, 1, 1, 0], bool))
    view.scratch["gift_peer"][:] = -1
    show(view, np.arange(6), np.arange(6))
    (appeal,) = packet.appraise(view).appeals
    want = worth * np.log1p(gifted) / np.log(101)
    assert appeal[:5] == pytest.approx(want[:5])
    assert appeal[5] == 0.0


def test_gifts_are_counted_for_the_badge() -> None:
    view, packet = stage(20)
    apply(view, send(view, packet, gifts(20, 20)))
    assert view.state["product"]["gifted"].tolist() == [0, 20, 0, 0, 0, 0]


def test_messages_come_in_their_shares_and_win_their_share_of_the_unwilling() -> None:
    n, half = 20_000, 0.5 * 24 / 25  # acceptance at which half of all would take it, given time
    said = {"voice": 0.3, "text": 0.5, "voice_lift": 0.6, "text_lift": 0.2, "acceptance_within_24h": half}
    view, packet = stage(500, said, day=9)
    rows = gifts(n, 500, time=9 * DAY + 12 * HOUR)
    written = rows_of(send(view, packet, rows).events, "gift_note")
    note = packet.note(rows.event, rows.merchant)
    assert sorted(written.cause.tolist()) == sorted(rows.event[note > 0].tolist())
    willing = packet.willing(rows)
    for kind, share, lift in ((0, 0.2, 0.0), (1, 0.5, 0.2), (2, 0.3, 0.6)):
        assert abs((note == kind).mean() - share) < 4 * np.sqrt(share * (1 - share) / n)
        mine, p = note == kind, 0.5 + 0.5 * lift
        assert abs(willing[mine].mean() - p) < 4 * np.sqrt(p * (1 - p) / mine.sum())


@given(share=st.floats(0, 0.9), lift=st.floats(0, 1))
@settings(max_examples=20)
def test_a_message_never_loses_a_gift(share: float, lift: float) -> None:
    taken = []
    for voice in (0.0, 0.6, 1.0):
        view, packet = stage(50, {"acceptance_within_24h": share, "voice": voice, "voice_lift": lift}, day=9)
        taken.append(claimed(view, packet, gifts(200, 50)))
    assert taken[0] <= taken[1] <= taken[2]


def test_more_messages_than_senders_are_refused() -> None:
    with pytest.raises(ValidationError, match="together they cannot exceed 1"):
        GiftPacketParams(text=0.6, voice=0.5)


def test_recipients_keep_what_they_were_given_in_mind_in_their_share() -> None:
    n = 6_000
    view, packet = stage(n, {"remembers": 0.4, "text": 1.0, "text_lift": 0.5}, day=9)
    post_inbox(view, "gift", gifts(n, n).with_(cause=gifts(n, n).event))
    apply(view, packet.respond(view))
    slot = slots_of(view)
    assert (slot["merchant"][:, 0] == 0).all()  # all have met the merchant
    kept, p = slot["given"][:, 0] >= 0, 0.4 + 0.6 * 0.5
    assert abs(kept.mean() - p) < 4 * np.sqrt(p * (1 - p) / n)
    assert set(slot["given"][:, 0].tolist()) == {-1, 9}
