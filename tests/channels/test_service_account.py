from datetime import date
from typing import Any

import numpy as np
import pytest

from sim.channels.service_account import ServiceAccount, ServiceAccountParams
from sim.contract import Effects, View
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, Array
from sim.world.calendar import Calendar
from sim.world.state import FOLLOWS, MUTED, PINNED
from tests.views import apply, make_view, mechanism, post_inbox, seat, show, slots_of

DAY_OF_POST = 10
MENU_GOODS = ServiceAccountParams().menu_goods
AFTER_BUYING, AFTER_PARCEL, AFTER_VIEWING = 1.0, 0.6, 0.15  # the defaults


def stage(users: int = 5_000, account: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, ServiceAccount]:
    """Everybody has a session at noon on the day after a broadcast of merchant 0 at 20 h."""
    overrides = {"welcomed": True, "known": 2, "day": DAY_OF_POST + 1, **overrides}
    view = make_view(users, columns=ServiceAccount.columns, **overrides)
    made = mechanism(ServiceAccount, view, **(account or {}))
    publish(view, DAY_OF_POST)
    return view, made


def publish(view: View, *days: int, merchant: int = 0, event: int = 1) -> None:
    n = len(days)
    rows = Records(
        n,
        time=np.array(days) * DAY + 20 * HOUR,
        event=np.arange(n) + event,
        merchant=merchant,
        product=merchant * 3 + 1,
        channel=view.channel("service_account"),
    )
    view.contents["broadcast"] = Records.concat([view.content("broadcast"), rows])


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def parcels(view: View, user: Array, satisfaction: Any, merchant: Any = 0) -> None:
    rows = Records(
        user.size, user=user, merchant=merchant, product=0, cause=np.arange(1, user.size + 1) + 50, detail=satisfaction
    )
    post_inbox(view, "parcel_arrived", rows)


# --------------------------------------------------------------------------------------------------- broadcasts


def test_four_broadcasts_a_month_on_their_dates_at_their_hour() -> None:
    calendar = Calendar(date(2025, 1, 1), 59)
    view = make_view(10, 2, calendar=calendar)
    account = mechanism(ServiceAccount, view, on=[False, True], hour=20)
    rows = account.agenda(view, 59)["broadcast"]
    assert [str(calendar.date_of(t // DAY)) for t in rows.time.tolist()] == [
        "2025-01-04", "2025-01-12", "2025-01-20", "2025-01-28", "2025-02-04", "2025-02-11", "2025-02-18", "2025-02-25",
    ]  # fmt: skip
    assert (rows.time % DAY == 20 * HOUR).all()
    assert (rows.merchant == 1).all() and np.unique(rows.event).size == 8


@pytest.mark.parametrize(("planned", "cap", "sent"), [(4, 4, 4), (6, 4, 4), (3, 4, 3), (6, 2, 2), (2, 0, 0)])
def test_the_platform_caps_broadcasts_per_month(planned: int, cap: int, sent: int) -> None:
    view = make_view(10, 1, calendar=Calendar(date(2025, 3, 1), 31))
    view.rules = {**view.rules, "broadcasts_per_month_cap": cap}
    account = mechanism(ServiceAccount, view, broadcasts_per_month=planned)
    rows = account.agenda(view, 31)["broadcast"]
    fx = account.settle(view, "broadcast", rows, np.ones(rows.n, np.bool_))
    assert events(fx, "broadcast").n == sent == sum(r.n for _, r in fx.publications)
    assert events(fx, "broadcast_refused").n == planned - sent


def test_open_rate_and_folding_multiplier() -> None:
    users = 40_000
    for folding, multiplier in ((False, 1.0), (True, 0.25)):
        view, account = stage(users, {"open_rate": 0.055, "menu": 0.0}, flags=FOLLOWS)
        view.rules = {**view.rules, "folding": folding}
        fx = account.expose(view)
        for kind, p in (("notice", multiplier), ("opened", multiplier * 0.055)):
            assert abs(events(fx, kind).n - users * p) <= 4 * np.sqrt(users * p * (1 - p))
        assert sum(e["session"].size for e in fx.exposures) == events(fx, "opened").n
        assert {int(e["product"][0]) for e in fx.exposures} == {1}


@pytest.mark.parametrize(("quality", "loyalty", "factor"), [(1.0, 0.5, 1.5), (0.5, 1.0, 1.5), (0.0, 0.0, 0.25)])
def test_better_writing_and_loyal_fans_raise_opens(quality: float, loyalty: float, factor: float) -> None:
    users, p = 20_000, 0.1 * factor
    view, account = stage(users, {"open_rate": 0.1, "quality": quality}, flags=FOLLOWS | PINNED, loyalty=loyalty)
    assert abs(events(account.expose(view), "opened").n - users * p) <= 4 * np.sqrt(users * p * (1 - p))


def test_pinned_accounts_are_not_folded() -> None:
    view, account = stage(3_000, flags=FOLLOWS | PINNED)
    folded = events(account.expose(view), "opened").user
    view.rules = {**view.rules, "folding": False}
    assert events(account.expose(view), "opened").user.tolist() == folded.tolist()
    assert events(account.expose(view), "notice").n == 3_000


def test_folding_only_takes_readers_away() -> None:
    view, account = stage(5_000, flags=FOLLOWS)
    readers = []
    for multiplier in (0.15, 0.25, 0.35, 1.0):
        view.rules = {**view.rules, "folding_multiplier": multiplier}
        readers.append(set(events(account.expose(view), "opened").user.tolist()))
    assert all(few <= more for few, more in zip(readers, readers[1:], strict=False))
    assert len(readers[0]) < len(readers[-1])


@pytest.mark.parametrize("flags", [0, FOLLOWS | MUTED, FOLLOWS | MUTED | PINNED])
def test_the_muted_and_strangers_are_never_reached(flags: int) -> None:
    view, account = stage(2_000, {"open_rate": 1.0, "template_open": 1.0}, flags=flags, welcomed=False)
    parcels(view, np.arange(2_000), 900)
    fx = account.expose(view)
    assert not fx.exposures and not fx.events and not fx.relations


def test_a_broadcast_is_met_once_and_not_when_it_is_old() -> None:
    view, account = stage(50, {"open_rate": 1.0}, flags=FOLLOWS | PINNED, last_seen=DAY_OF_POST * DAY + 21 * HOUR - 1)
    assert events(account.expose(view), "notice").n == 50  # her last session was in the very tick of the post
    view.state["user"]["last_seen"][:] = DAY_OF_POST * DAY + 21 * HOUR
    assert events(account.expose(view), "notice").n == 0
    view.state["user"]["last_seen"][:] = -1
    seat(view, day=DAY_OF_POST + 8)
    assert events(account.expose(view), "notice").n == 0


def test_several_broadcasts_missed_are_met_together_each_with_its_own_luck() -> None:
    view, account = stage(500, {"open_rate": 0.5}, flags=FOLLOWS | PINNED)
    publish(view, DAY_OF_POST - 3, merchant=1, event=2)
    fx = account.expose(view)
    opened = events(fx, "opened")
    assert events(fx, "notice").n == 1_000
    assert np.unique(np.concatenate([rows.event for _, rows in fx.events])).size == 1_000 + opened.n
    both = np.intersect1d(opened.user[opened.merchant == 0], opened.user[opened.merchant == 1]).size
    assert 0 < both < 250
    apply(view, fx)
    assert (slots_of(view)["notices"][:, :2] == 1).all()


@pytest.mark.parametrize("overrides", [{"planned": False}, {"running": False, "planned": False}])
def test_who_was_only_woken_is_left_alone(overrides: dict[str, bool]) -> None:
    view, account = stage(100, {"open_rate": 1.0}, flags=FOLLOWS, welcomed=False, **overrides)
    parcels(view, np.arange(100), 900)
    fx = account.expose(view)
    assert not fx.events and not fx.exposures
    assert (account.checkout(view).scratch[0][1] == -1).all()


def test_the_menu_shows_the_best_sellers() -> None:
    view, account = stage(
        200, {"open_rate": 1.0, "menu": 1.0}, flags=FOLLOWS | PINNED, products=5, sold=np.array([5, 1, 9, 7, 0] * 2)
    )
    product = account.expose(view).exposures[1]["product"]
    assert product.size == 200 * MENU_GOODS
    assert np.unique(product).tolist() == [0, 2, 3]


# ---------------------------------------------------------------------------------- templates, welcome, pin, prompt


def test_fans_open_parcel_notices_with_the_template_rate() -> None:
    users, p = 20_000, 0.35
    view, account = stage(users, flags=FOLLOWS)
    view.contents.clear()
    parcels(view, np.arange(users), 500)
    (shown,) = account.expose(view).exposures
    assert abs(shown["session"].size / MENU_GOODS - users * p) <= 4 * np.sqrt(users * p * (1 - p))
    assert (shown["cause"] == shown["session"] + 51).all()  # the delivery


def test_new_fans_are_welcomed_once() -> None:
    view, account = stage(1_000, {"welcome_open": 1.0}, flags=FOLLOWS, welcomed=False)
    view.contents.clear()
    fx = account.expose(view)
    assert sum(e["session"].size for e in fx.exposures) == 1_000 * 2 * MENU_GOODS
    apply(view, fx)
    assert not account.expose(view).exposures


def test_only_content_fans_pin_and_once() -> None:
    view, account = stage(4, {"pin": 1.0}, flags=FOLLOWS)
    slots_of(view)["flags"][3, 0] |= PINNED
    parcels(view, np.array([0, 0, 1, 2, 3]), np.array([900, 800, 699, 700, 900]))
    fx = account.respond(view)
    assert events(fx, "pinned").user.tolist() == [0, 2]
    apply(view, fx)
    assert ((slots_of(view)["flags"][:, 0] & PINNED) != 0).tolist() == [True, False, True, True]


def test_the_pin_rate() -> None:
    users, p = 20_000, 0.05
    view, account = stage(users, flags=FOLLOWS)
    parcels(view, np.arange(users), 900)
    assert abs(events(account.respond(view), "pinned").n - users * p) <= 4 * np.sqrt(users * p * (1 - p))


def test_each_session_is_asked_at_its_best_moment() -> None:
    view, account = stage(6, {"follow_prompt": 0.8}, flags=0)
    # by session: looked at 1 | looked at 0, bought at 1 | looked at both | follows 0 | parcel of 0 | nothing
    show(view, np.array([0, 1, 1, 2, 2, 3]), np.array([4, 0, 3, 2, 5, 0]))
    view.chosen = np.array([2])
    slots_of(view)["flags"][3, 0] |= FOLLOWS
    parcels(view, np.array([4]), 100)
    fx = account.checkout(view)
    notes = dict(fx.scratch)
    assert notes["prompt_merchant"].tolist() == [1, 1, 0, -1, 0, -1]
    strength = np.array([AFTER_VIEWING, AFTER_BUYING, AFTER_VIEWING, 0, AFTER_PARCEL, 0]) * 0.8
    assert notes["prompt_strength"] == pytest.approx(strength)


def test_what_was_not_viewed_prompts_nobody_and_nor_does_a_merchant_without_account() -> None:
    view = make_view(4, columns=ServiceAccount.columns, known=2)
    account = mechanism(ServiceAccount, view, on=[False, True])
    show(view, np.arange(4), np.array([0, 1, 3, 4]))
    view.viewed = np.array([True, True, True, False])
    assert dict(account.checkout(view).scratch)["prompt_merchant"].tolist() == [-1, -1, 1, -1]


def test_stacked_worlds_read_what_they_read_alone() -> None:
    found = []
    for seeds in ((3, 8), (3,), (8,)):
        view, account = stage(400, {"open_rate": 0.5, "menu": 0.5}, flags=FOLLOWS, seeds=seeds, welcomed=False)
        view.contents.clear()
        for world, seed in enumerate(seeds):
            publish(view, DAY_OF_POST, merchant=2 * world, event=seed)
        fx = account.expose(view)
        found.append(
            sorted((int(s), int(p)) for e in fx.exposures for s, p in zip(e["session"], e["product"], strict=True))
        )
    assert found[0] == sorted(found[1] + [(s + 400, p + 6) for s, p in found[2]])
    assert found[1] and found[2]


def test_an_opened_broadcast_shows_the_cards_of_its_article_and_says_so() -> None:
    view, account = stage(300, {"open_rate": 0.5, "menu": 0.0}, flags=FOLLOWS | PINNED)
    before = account.expose(view)
    readers = sorted(events(before, "opened").user.tolist())
    note = dict(before.scratch)["read_service_account"]
    assert (note[:, 0] == 1).nonzero()[0].tolist() == readers
    view.contents["article_card"] = Records(
        3, event=[11, 12, 13], cause=[1, 1, 99], product=[2, 4, 5], merchant=[0, 1, 1]
    )
    shown = [e for e in account.expose(view).exposures if e["channel"] == view.channel("articles")]
    assert sorted(zip(shown[0]["session"].tolist(), shown[0]["product"].tolist(), strict=True)) == [
        (reader, product) for reader in readers for product in (2, 4)
    ]
    assert set(shown[0]["cause"].tolist()) == {1}
