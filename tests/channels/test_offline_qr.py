"""The code at the counter: visits by tier and weekday, scans, follows, and gifts that the shop or the visitor pays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim import draws
from sim.channels.offline_qr import OfflineQr, OfflineQrParams
from sim.config.load import load
from sim.contract import Effects, View
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.ledger.schema import Records
from sim.offers.gift_packet import GiftPacket
from sim.run import run
from sim.units import DAY, HOUR
from sim.world.state import FOLLOWS, MINI
from tests.views import apply, csr, make_view, mechanism, post_inbox, post_outcome, slots_of

SIGMAS = 4.0
COLUMNS = (*OfflineQr.columns, *GiftPacket.columns)


def counter(users: int = 200, *, on: Any = True, view: dict[str, Any] | None = None, **params: Any) -> tuple[View, Any]:
    made = make_view(users, columns=COLUMNS, **{"gift_on": True, **(view or {})})
    return made, mechanism(OfflineQr, made, on=on, **params)


def rows_of(listed: list[tuple[str, Records]], kind: str) -> Records:
    return Records.concat([rows for name, rows in listed if name == kind])


def visits(view: View, shop: OfflineQr, days: int = 7) -> Records:
    opened = shop.agenda(view, days)["shop_day"]
    return rows_of(list(shop.settle(view, "shop_day", opened, np.ones(opened.n, np.bool_)).requests), "shop_visit")


def within(count: float, n: int, p: float) -> bool:
    return abs(count - n * p) <= SIGMAS * np.sqrt(n * p * (1 - p))


# ------------------------------------------------------------------------------------------------------- visits


def test_neighbours_come_as_often_as_stated_and_more_on_weekends() -> None:
    n, weekend = 6_000, 2.5
    view, shop = counter(n, nearby=(0.4, 0.2, 0.0, 0.0), visits_per_week=1.5, weekend=weekend, on=[True, False])
    tier = view.world.people["tier"]
    near = np.zeros(n, np.bool_)
    near[shop._near] = True
    for level, share in ((1, 0.4), (2, 0.2), (3, 0.0)):
        assert within(near[tier == level].sum(), int((tier == level).sum()), share)
    weeks = 4
    came = visits(view, shop, 7 * weeks)
    assert near[came.user].all() and (came.merchant == 0).all()
    weekday = came.time // DAY % 7  # the calendar of tests begins on a Monday
    p = 1.5 / (5 + 2 * weekend)
    assert within((weekday < 5).sum(), int(near.sum()) * 5 * weeks, p)
    assert within((weekday >= 5).sum(), int(near.sum()) * 2 * weeks, p * weekend)


def test_who_never_opens_wechat_leaves_no_trace() -> None:
    view, shop = counter(100, view={"activity": np.arange(100) % 2}, nearby=(1.0, 1.0, 1.0, 1.0), visits_per_week=5.0)
    assert set(visits(view, shop, 14).user.tolist()) == set(range(1, 100, 2))


def test_visits_are_in_opening_hours_and_have_ids_of_their_own() -> None:
    view, shop = counter(500, nearby=(1.0, 1.0, 1.0, 1.0), visits_per_week=5.0, opens=11, closes=14)
    came = visits(view, shop, 14)
    hour = came.time % DAY / HOUR
    assert hour.min() >= 11 and hour.max() < 14
    assert abs(hour.mean() - 12.5) < SIGMAS * 3 / np.sqrt(12 * came.n)
    assert np.unique(came.event).size == came.n > 5_000


@given(st.floats(0, 2.5), st.floats(0, 2.5))
@settings(max_examples=15)
def test_more_visits_are_the_same_visits_and_more(one: float, other: float) -> None:
    few, many = (
        set(visits(*counter(80, nearby=(1.0, 1.0, 1.0, 1.0), visits_per_week=rate)).event.tolist())
        for rate in sorted((one, other))
    )
    assert few <= many


def test_visits_of_lone_and_stacked_worlds_are_the_same() -> None:
    stated = {"nearby": (0.5, 0.5, 0.5, 0.5), "visits_per_week": 4.0}
    lone, both = (visits(*counter(150, view={"seeds": seeds}, **stated)) for seeds in ((8,), (7, 8)))
    theirs = both.take(both.user >= 150)
    assert sorted(zip(lone.event.tolist(), lone.time.tolist(), lone.user.tolist(), strict=True)) == sorted(
        zip(theirs.event.tolist(), theirs.time.tolist(), (theirs.user - 150).tolist(), strict=True)
    )
    assert (theirs.merchant >= 2).all() and (both.user < 150).sum() > 100


def test_a_visit_is_written_and_a_scan_wakes_the_visitor_in_the_next_tick() -> None:
    n = 6_000
    view, shop = counter(n, scan=0.3)
    came = Records(n, user=np.arange(n), merchant=0, event=np.arange(1, n + 1), time=view.clock.start + 7)
    fx = shop.settle(view, "shop_visit", came, np.ones(n, np.bool_))
    assert rows_of(list(fx.events), "shop_visit").n == n
    (code,), (woken,) = [rows for _, rows in fx.messages], fx.wakes
    assert within(code.n, n, 0.3)
    assert (code.cause == came.event[code.user]).all()
    assert (code.time < view.clock.end).all() and (woken.time == view.clock.end).all()
    assert (woken.user == code.user).all()


# -------------------------------------------------------------------------------------------------------- scans


def scan(view: View, merchant: Any = 0) -> Records:
    """Everybody finds the code of a shop that she has scanned."""
    n = len(view.sessions)
    visit = draws.child(view.sessions.event, "shop_visit")
    rows = Records(
        n, user=view.sessions.user, merchant=merchant, cause=visit, event=draws.child(visit, "shop_code"), channel=11
    )
    return post_inbox(view, "shop_code", rows).rows


def both(view: View, shop: OfflineQr) -> tuple[Effects, Effects]:
    return shop.checkout(view), shop.respond(view)


def test_scans_lead_to_follows_and_mini_programs_in_their_shares_and_say_whence() -> None:
    n = 8_000
    view, shop = counter(n, follow=0.35, mini_program=0.15)
    scan(view)
    asked, answered = both(view, shop)
    seen = rows_of(list(asked.events), "scanned")
    assert seen.n == n and not asked.requests
    for kind, share in (("follow", 0.35), ("mini_program_added", 0.15)):
        rows = rows_of(list(answered.events), kind)
        assert within(rows.n, n, share)
        assert set(rows.cause.tolist()) <= set(seen.event.tolist())
    apply(view, answered)
    flags = slots_of(view)["flags"][:, 0]
    assert ((flags & FOLLOWS) != 0).sum() == view.state["merchant"]["fans"][0] == rows_of(answered.events, "follow").n
    assert ((flags & MINI) != 0).sum() == rows_of(list(answered.events), "mini_program_added").n


def test_nobody_follows_twice() -> None:
    view, shop = counter(300, view={"flags": FOLLOWS | MINI}, follow=1.0, mini_program=1.0)
    scan(view)
    assert not shop.respond(view).events
    full = {"merchants": 7, "orders": 1}  # she keeps six others in mind and has no room for the seventh
    view, shop = counter(50, view=full, follow=1.0, mini_program=1.0)
    scan(view, merchant=6)
    assert not shop.respond(view).events
    view, shop = counter(1, follow=1.0)
    code = Records(2, user=0, merchant=0, cause=[5, 6], event=[7, 8])  # two codes of one shop in one session
    post_inbox(view, "shop_code", code)
    assert rows_of(list(shop.respond(view).events), "follow").n == 1


# -------------------------------------------------------------------------------------------------------- gifts


def sent(view: View, shop: OfflineQr) -> Records:
    scan(view)
    return rows_of(list(shop.checkout(view).requests), "gift_order")


@pytest.mark.parametrize(("yuan", "sensitivity"), [(0.0, 1.0), (4.0, 1.0), (9.9, 0.5)])
def test_gifts_are_sent_with_the_stated_odds(yuan: float, sensitivity: float) -> None:
    n = 8_000
    stated = {"invite": 0.8, "takes": 0.6, "per_yuan": 0.2, "gift_yuan": yuan}
    view, shop = counter(n, view={"price_sensitivity": sensitivity}, **stated)
    gifts = sent(view, shop)
    p = 0.8 / (1 + 0.4 / 0.6 * np.exp(0.2 * yuan * sensitivity))
    assert within(gifts.n, n, p)
    assert (gifts.amount == round(100 * yuan)).all()
    assert (gifts.amount + gifts.detail == 12_000).all()  # what is not paid was taken off the list price


def test_the_gift_is_the_cheapest_that_may_be_given_and_goes_to_a_friend() -> None:
    on = np.array([False, True, True, True, True, True])
    view, shop = counter(400, view={"gift_on": on}, invite=1.0, takes=0.9)
    gifts = sent(view, shop)
    assert gifts.n > 300
    assert (gifts.product == 1).all() and set(gifts.variant.tolist()) == {2, 3}
    ring = np.abs(gifts.user - gifts.peer) % 400
    assert (np.minimum(ring, 400 - ring) <= 4).all() and (gifts.user != gifts.peer).all()
    scanned = rows_of(list(shop.checkout(view).events), "scanned")
    assert set(gifts.cause.tolist()) <= set(scanned.event.tolist())


def test_a_visitor_never_pays_more_than_the_price() -> None:
    view, shop = counter(50, invite=1.0, takes=0.9, per_yuan=0.0, gift_yuan=5_000)
    gifts = sent(view, shop)
    assert gifts.n and (gifts.amount == 12_000).all() and (gifts.detail == 0).all()


def test_recipients_are_drawn_by_the_layer_of_the_tie() -> None:
    n = 8_000
    view, shop = counter(n, invite=1.0, takes=0.99, layer_weights=(1.0, 0.5, 0.25, 0.0))
    gifts = sent(view, shop)
    step = np.minimum(np.abs(gifts.user - gifts.peer), n - np.abs(gifts.user - gifts.peer))
    weight = np.array([1.0, 0.5, 0.25, 0.0]) / 1.75
    for distance, share in enumerate(weight, start=1):  # on the ring layer k is at distance k + 1
        assert within((step == distance).sum(), gifts.n, share)


def test_nothing_is_sent_without_a_gift_a_friend_or_leave() -> None:
    eager: dict[str, Any] = {"invite": 1.0, "takes": 0.9}
    assert sent(*counter(60, view={"gift_on": False}, **eager)).n == 0
    assert sent(*counter(60, view={"graph": csr(np.zeros(60, np.int64), np.zeros(0, np.int64))}, **eager)).n == 0
    view, shop = counter(60, **eager)
    view.rules["gifts"] = False
    assert sent(view, shop).n == 0
    assert sent(*counter(60, view={"running": False}, **eager)).n == 0


def test_the_next_gift_has_to_wait() -> None:
    eager: dict[str, Any] = {"invite": 1.0, "takes": 0.9, "pause_days": 10}
    for last, allowed in ((-1, True), (25, False), (20, True)):
        view, shop = counter(200, view={"day": 30, "counter_gift": last}, **eager)
        assert (sent(view, shop).n > 0) == allowed
    view, shop = counter(200, view={"day": 30}, **eager)
    gifts = sent(view, shop)
    done = np.arange(gifts.n) % 2 == 0
    post_outcome(view, "gift_order", gifts.with_(channel=view.channel("offline_qr")), done)
    apply(view, shop.respond(view))
    stored = slots_of(view)["counter_gift"][gifts.user, 0]
    assert (stored[done] == 30).all() and (stored[~done] == -1).all()


@pytest.mark.parametrize("wrong", [{"nearby": (0.1, 0.1, 0.1, 1.1)}, {"layer_weights": (1, 1, 1, -1)}])
def test_wrong_shares_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"less than or equal to 1|greater than or equal to 0"):
        OfflineQrParams(**wrong)


# --------------------------------------------------------------------------------------------------- whole runs

TOWN = """
title: a counter
extends: base
horizon: {{start: 2025-03-03, days: 8, tick: 6h}}
world: {{people: {{count: 300}}}}
merchants:
  tea_house:
    channels: {{offline_qr: {{nearby: [1, 1, 1, 1], visits_per_week: 4, scan: 0.9, invite: 1, takes: 0.9, pause_days: 3,
      gift_yuan: {yuan}, per_yuan: 0}}}}
    offers: {{gift_packet: {{}}}}
"""


def play(folder: Path, yuan: float) -> Ledger:
    path = folder / "scenario.yaml"
    path.write_text(TOWN.format(yuan=yuan), "utf-8")
    return run(load(path), out=[folder / "run"])[0]


@pytest.mark.slow
@pytest.mark.parametrize("yuan", [0.0, 9.9])
def test_money_and_stock_are_conserved_and_the_shop_pays_for_its_gifts(yuan: float, tmp_path: Path) -> None:
    ledger = play(tmp_path, yuan)
    assert audit(ledger).ok
    ((gifts, taken),) = ledger.rows("""
        SELECT count(*), count(*) FILTER (done.kind = 'gift_claimed') FROM events AS sent
        JOIN events AS done ON done.cause = sent.event AND done.kind IN ('gift_claimed', 'gift_expired')
        WHERE sent.kind = 'gift_sent' AND sent.channel = 'offline_qr'""")
    assert gifts > taken > 100
    paid = """
        SELECT coalesce(sum(amount), 0)::BIGINT FROM postings WHERE {} AND event IN (
            SELECT event FROM events WHERE {} AND cause IN (
                SELECT event FROM events WHERE kind = 'gift_sent' AND channel = 'offline_qr'))"""
    goods, courier = (
        ledger.rows(paid.format(f"target = '{account}'", "kind = 'delivered'"))[0][0]
        for account in ("supplier", "courier")
    )
    assert goods == taken * 2_600 and courier == taken * 600  # the sampler at cost, and its parcel
    ((wallets,),) = ledger.rows("""
        SELECT coalesce(sum(amount), 0)::BIGINT FROM postings WHERE source = 'wallet' AND event IN (
            SELECT event FROM events WHERE kind = 'gift_sent' AND channel = 'offline_qr')""")
    assert wallets == round(100 * yuan) * gifts


@pytest.mark.slow
def test_a_gift_is_traced_back_to_the_visit(tmp_path: Path) -> None:
    ledger = play(tmp_path, 0.0)
    story = ledger.rows("""
        SELECT count(*), count(visit.event), bool_and(visit.user = sent.user AND visit.time <= scan.time)
        FROM events AS sent LEFT JOIN events AS scan ON scan.event = sent.cause AND scan.kind = 'scanned'
        LEFT JOIN events AS visit ON visit.event = scan.cause AND visit.kind = 'shop_visit'
        WHERE sent.kind = 'gift_sent' AND sent.channel = 'offline_qr'""")
    ((gifts, traced, same),) = story
    assert gifts == traced > 100 and same
