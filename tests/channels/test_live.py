from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.channels.live import Live, LiveParams
from sim.config.load import load
from sim.contract import Effects, View
from sim.ledger.schema import ACCOUNTS, Records
from sim.study.verify import once
from sim.units import DAY, HOUR, MINUTE, Array
from sim.world.state import FOLLOWS, GROUP, MUTED
from tests.views import CHANNELS, apply, make_view, mechanism, post_inbox, post_outcome, seat, show, slots_of

SHOW = 10  # day of the first show
START = SHOW * DAY + 20 * HOUR
N = 20_000
NAMES = {account.code: name for name, account in ACCOUNTS.items()}


def stage(users: int = N, live: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Live]:
    """Everybody has a session in the first hour of the show."""
    overrides = {"merchants": 1, "known": 1, "day": SHOW, "hour": 20, **overrides}
    view = make_view(users, columns=Live.columns, **overrides)
    made: Live = mechanism(Live, view, **{"arrival_minutes": 30, **(live or {})})
    return view, made


def announce(view: View, live: Live, days: int = 60) -> Records:
    """Make public the announcements of shows that are still to come, as if they had been made in time."""
    rows = live.agenda(view, days)["live_announcement"]
    rows = rows.take(rows.time < view.clock.start)
    live_fx = live.settle(view, "live_announcement", rows, np.ones(rows.n, np.bool_))
    view.contents["live_announcement"] = Records.concat([r for _, r in live_fx.publications])
    return view.contents["live_announcement"]


def reserve(view: View, lead: Any, start: int = START) -> None:
    """Everybody has reserved so many seconds before the show."""
    slots_of(view)["live_reserved"][:, 0] = start - np.asarray(lead)
    view.forget_relations()


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def messages(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.messages if name == kind])


def within(found: float, expected: float, se: float) -> bool:
    return abs(found - expected) <= 4 * se


def binomial(count: int, n: int, p: float) -> bool:
    return within(count, n * p, float(np.sqrt(n * p * (1 - p))))


def moved(fx: Effects, target: str) -> int:
    found = [moves.amount[moves.target == ACCOUNTS[target].code].sum() for _, moves in fx.posts]
    return int(sum(found))


# -------------------------------------------------------------------------------------------------------- who comes


@pytest.mark.parametrize(
    ("days", "forgetting", "reminder"), [(0.0, 0.3, 0.0), (3.0, 0.3, 0.0), (3, 1, 0.35), (5, 0, 1)]
)
def test_show_up_is_hyperbolic_in_the_lead_time(days: float, forgetting: float, reminder: float) -> None:
    params = {"attend": 0.7, "forgetting": forgetting, "reminder": reminder, "contact_drop_in": 0.0, "drop_in": 0.0}
    view, live = stage(live=params)
    reserve(view, max(int(days * DAY), 1))
    viewed = events(live.expose(view), "live_viewed")
    h = 1 / (1 + forgetting * days)
    assert binomial(viewed.n, N, 0.7 * (h + (1 - h) * reminder))
    assert (viewed.quantity == 1).all()


def comers(lead: float, **params: float) -> set[int]:
    view, live = stage(400, {"contact_drop_in": 0.0, "drop_in": 0.0, **params}, planned=False)
    reserve(view, max(int(lead * DAY), 1))
    return set(events(live.expose(view), "live_viewed").user.tolist())


@given(lead=st.floats(0, 5), later=st.floats(0, 5), forgetting=st.floats(0, 3), reminder=st.floats(0, 1))
@settings(max_examples=25)
def test_a_shorter_lead_a_better_memory_and_a_reminder_only_gain(
    lead: float, later: float, forgetting: float, reminder: float
) -> None:
    base = comers(lead + later, forgetting=forgetting, reminder=reminder)
    assert base <= comers(lead, forgetting=forgetting, reminder=reminder)
    assert base <= comers(lead + later, forgetting=forgetting / 2, reminder=reminder)
    assert base <= comers(lead + later, forgetting=forgetting, reminder=min(reminder + 0.2, 1))


@pytest.mark.parametrize("minutes", [30, 90])
def test_who_is_woken_is_who_watches_each_in_the_tick_of_her_arrival(minutes: int) -> None:
    params = {"reserve": 1.0, "page": 1.0, "arrival_minutes": minutes, "contact_drop_in": 0.0, "drop_in": 0.0}
    view, live = stage(500, params, day=SHOW - 2, hour=9)
    announce(view, live)
    show(view, np.arange(500), np.zeros(500, np.int64))
    fx = live.respond(view)
    (woken,) = fx.wakes
    assert events(fx, "live_reserved").n == 500 > woken.n > 100
    assert (woken.time >= START).all() and (woken.time < START + minutes * MINUTE).all()
    apply(view, fx)
    watching: dict[int, int] = {}
    for hour in (20, 21):
        viewed = events(live.expose(seat(view, day=SHOW, hour=hour, planned=False)), "live_viewed")
        watching |= dict.fromkeys(viewed.user.tolist(), hour)
    hours = (woken.time % DAY // HOUR).tolist()
    assert watching == dict(zip(woken.user.tolist(), hours, strict=True))


def test_a_reservation_counts_for_the_next_show_only() -> None:
    view, live = stage(50, {"attend": 1.0, "forgetting": 0.0, "every_days": 7, "drop_in": 0.0, "contact_drop_in": 0.0})
    reserve(view, DAY)
    assert events(live.expose(view), "live_viewed").n == 50
    assert events(live.expose(seat(view, day=SHOW + 7, hour=20)), "live_viewed").n == 0
    reserve(view, -6 * DAY)
    assert events(live.expose(seat(view, day=SHOW + 7, hour=20)), "live_viewed").n == 50


@pytest.mark.parametrize(("flags", "p"), [(FOLLOWS, 0.2), (GROUP, 0.2), (0, 0.05), (FOLLOWS | MUTED, 0.05)])
def test_passers_by_step_in(flags: int, p: float) -> None:
    view, live = stage(live={"contact_drop_in": 0.2, "drop_in": 0.05}, flags=flags)
    viewed = events(live.expose(view), "live_viewed")
    assert binomial(viewed.n, N, p)
    assert (viewed.quantity == 0).all()
    assert (viewed.cause == live.agenda(view, 60)["live_show"].event[0]).all()


def test_strangers_come_by_taste() -> None:
    taste = np.repeat([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], N // 2, axis=0)
    view, live = stage(live={"drop_in": 0.1}, taste=taste)  # the merchant sells category 0
    user = events(live.expose(view), "live_viewed").user
    assert binomial(int((user < N // 2).sum()), N // 2, 0.1 * 0.8 * 3)
    assert binomial(int((user >= N // 2).sum()), N // 2, 0.1 * 0.1 * 3)


def test_only_planned_sessions_that_begin_during_the_show_step_in() -> None:
    view, live = stage(2_000, {"drop_in": 1.0, "hours": 0.5, "hour": 20})
    end = START + HOUR // 2
    assert events(live.expose(view), "live_viewed").user.tolist() == np.flatnonzero(view.sessions.time < end).tolist()
    seat(view, day=SHOW, hour=20, planned=False)
    assert events(live.expose(view), "live_viewed").n == 0
    seat(view, day=SHOW, hour=19)
    assert not live.expose(view).events


def test_a_show_of_yesterday_is_still_on_after_midnight() -> None:
    view, live = stage(50, {"drop_in": 1.0, "every_days": 1, "hours": 24}, day=SHOW + 3, hour=5)
    assert events(live.expose(view), "live_viewed").n == 50


# ------------------------------------------------------------------------------------------------------ in the room


@pytest.mark.parametrize(("games", "factor"), [(0.0, 1.0), (1.0, 1.4), (3.0, 1.6)])
def test_the_mean_stay_is_that_of_an_exponential_cut_at_the_end(games: float, factor: float) -> None:
    params = {"drop_in": 1.0, "dwell_minutes": 20, "game_yuan": games, "game_lift": 0.8, "hours": 1}
    view, live = stage(live=params)
    fx = live.expose(view)
    stay, left = events(fx, "live_viewed").detail, START + HOUR - view.sessions.time
    mean = 20 * MINUTE * factor
    expected = mean * (1 - np.exp(-left / mean))
    assert within(stay.mean(), expected.mean() - 0.5, mean / np.sqrt(N))  # whole seconds: half of one is lost
    assert (stay <= left).all()
    assert moved(fx, "wallet") == N * round(games * 100)


@given(games=st.floats(0, 50), more=st.floats(0, 50), minutes=st.floats(0.5, 60))
@settings(max_examples=20)
def test_games_only_lengthen_every_stay(games: float, more: float, minutes: float) -> None:
    stays = []
    for yuan in (games, games + more):
        view, live = stage(100, {"drop_in": 1.0, "dwell_minutes": minutes, "game_yuan": yuan})
        stays.append(events(live.expose(view), "live_viewed").detail)
    assert (stays[0] <= stays[1]).all()


@given(dwell=st.floats(1, 60), pitch=st.floats(1, 40), products=st.integers(1, 7))
@settings(max_examples=20)
def test_she_sees_what_is_pitched_while_she_is_there(dwell: float, pitch: float, products: int) -> None:
    params = {"drop_in": 1.0, "dwell_minutes": dwell, "pitch_minutes": pitch, "host": 0.6, "urgency": 0.3}
    view, live = stage(60, params, products=products)
    fx = live.expose(view)
    viewed, (shown,) = events(fx, "live_viewed"), fx.exposures
    long = max(round(pitch * MINUTE), 1)
    found = sorted(zip(shown["session"].tolist(), shown["product"].tolist(), strict=True))
    expected = []
    for user, time, stay in zip(viewed.user.tolist(), viewed.time.tolist(), viewed.detail.tolist(), strict=True):
        turns = range((time - START) // long, (time - START + stay) // long + 1)
        expected += sorted({(user, turn % products) for turn in turns})
    assert found == expected
    assert shown["appeal"] == pytest.approx(0.9)


def discounts(fx: Effects) -> dict[int, int]:
    """The largest price taken off by exposure."""
    out: dict[int, int] = {}
    for at, off, layer in fx.discounts:
        assert layer == "price"
        for i, fen in zip(at.tolist(), off.tolist(), strict=True):
            out[i] = max(out.get(i, 0), fen)
    return {i: fen for i, fen in out.items() if fen}


def test_the_room_has_its_own_price() -> None:
    view, live = stage(2, {"room_discount": 0.15})
    show(view, np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([CHANNELS["live"], 0, 0]))
    assert discounts(live.appraise(view)) == {0: 12_000 * 15 // 100}


def test_some_stock_up_in_the_room_but_nobody_with_gifts() -> None:
    params = {"room_discount": 0.2, "stocking_up": 2.0, "ahead_days": 60, "most_pieces": 3}
    view, live = stage(live=params, cycle_days=[0.0, 25.0, 40.0])
    view.scratch["gift_peer"] = np.where(np.arange(N) < 100, 1, -1)
    session, product = np.repeat(np.arange(N), 4), np.tile([0, 1, 2, 2], N)
    show(view, session, product, np.tile([CHANNELS["live"]] * 3 + [CHANNELS["store"]], N))
    ((at, pieces),) = live.appraise(view).bundles
    shown = view.exposures
    assert (shown.channel[at] == CHANNELS["live"]).all() and shown.session[at].min() >= 100
    assert dict(zip(shown.product[at].tolist(), pieces.tolist(), strict=True)) == {1: 3, 2: 2}
    people = np.unique(shown.session[at]).size
    assert binomial(people, N - 100, 0.4) and at.size == 2 * people


@pytest.mark.parametrize(("until", "planned", "giving", "cheaper"), [
    (0, True, -1, False), (3_600, True, -1, True), (3_599, True, -1, False), (3_600, False, -1, False),
    (3_600, True, 1, False),
])  # fmt: skip
def test_a_code_makes_her_own_orders_cheaper_while_it_holds(
    until: int, planned: bool, giving: int, cheaper: bool
) -> None:
    view, live = stage(1, {"code_discount": 0.05}, planned=planned)
    slots_of(view)["live_code"][:] = view.clock.start + until if until else 0
    view.scratch["gift_peer"] = np.array([giving])
    show(view, np.array([0]), np.array([0]))
    assert discounts(live.appraise(view)) == ({0: 600} if cheaper else {})


def test_who_has_reserved_waits_for_the_show() -> None:
    view, live = stage(2, {"waiting": 0.4}, day=SHOW - 1, merchants=2)
    slots_of(view)["live_reserved"][0, 0] = START - 2 * DAY
    for day, expected in ((SHOW - 1, [-0.4, 0, 0, 0]), (SHOW + 1, [0, 0, 0, 0])):
        seat(view, day=day)
        show(view, np.array([0, 0, 1, 1]), np.array([0, 3, 0, 3]))
        appeals = live.appraise(view).appeals
        assert sum(appeals, np.zeros(4)).tolist() == expected


# ------------------------------------------------------------------------------------------------------- afterwards


def order(view: View, users: Iterable[int], kind: str = "order", **columns: Any) -> Records:
    listed = list(users)
    rows = Records(len(listed), user=listed, merchant=0, product=0, event=np.arange(len(listed)) + 7, **columns)
    post_outcome(view, kind, rows)
    return rows


def test_viewers_who_bought_nothing_get_an_article_and_nobody_else() -> None:
    view, live = stage(400, {"drop_in": 0.5, "follow_up_hours": 14, "hours": 2, "code_days": 3})
    viewers = set(events(live.expose(view), "live_viewed").user.tolist())
    buyers = set(range(0, 400, 2))
    order(view, buyers)
    sent = messages(live.respond(view), "live_follow_up")
    assert set(sent.user.tolist()) == viewers - buyers
    assert (sent.time == START + 16 * HOUR).all() and (sent.detail == START + 16 * HOUR + 3 * DAY).all()
    assert np.unique(sent.event).size == sent.n > 0


def test_some_open_the_article_and_have_its_code() -> None:
    view, live = stage(live={"follow_up_open": 0.35, "drop_in": 0.0}, day=SHOW + 1, hour=12, products=5)
    until = view.clock.end + DAY
    post_inbox(view, "live_follow_up", Records(N, user=np.arange(N), merchant=0, event=np.arange(N) + 1, detail=until))
    fx = live.expose(view)
    apply(view, fx)
    codes = slots_of(view)["live_code"][:, 0]
    assert set(np.unique(codes).tolist()) == {0, until}
    assert binomial(int((codes > 0).sum()), N, 0.35)
    (shown,) = fx.exposures
    assert (
        shown["channel"] == CHANNELS["live_follow_up"]
        and shown["session"].size == LiveParams().follow_up_goods * (codes > 0).sum()
    )
    assert (slots_of(view)["notices"][:, 0] == 1).all()


def test_a_code_is_used_up_with_an_order_of_her_own() -> None:
    view, live = stage(4, {"drop_in": 0.0}, day=SHOW + 2)
    slots_of(view)["live_code"][:, 0] = [10**8, 10**8, 0, 10**8]
    order(view, [0, 2])
    order(view, [3], "gift_order", peer=1)
    fx = live.respond(view)
    assert events(fx, "live_code_used").user.tolist() == [0]
    assert events(fx, "live_code_used").cause.tolist() == [7]
    apply(view, fx)
    assert slots_of(view)["live_code"][:, 0].tolist() == [0, 10**8, 0, 10**8]


def test_a_show_costs_host_and_studio() -> None:
    view, live = stage(1, {"host_yuan": 300, "studio_yuan": 120.5})
    rows = live.agenda(view, 60)["live_show"]
    fx = live.settle(view, "live_show", rows, np.ones(rows.n, np.bool_))
    assert rows.n == 4 and (rows.time == START + 14 * DAY * np.arange(4)).all()
    assert (moved(fx, "staff"), moved(fx, "media")) == (4 * 30_000, 4 * 12_050)
    assert {NAMES[int(code)] for _, moves in fx.posts for code in moves.source} == {"cash"}
    assert events(fx, "live_show").amount.tolist() == [42_050] * 4


# ----------------------------------------------------------------------------------------------------- reservations


@pytest.mark.parametrize(("days", "every", "lead"), [(5, 14, 5), (13, 14, 13), (9, 7, 7), (12, 14, 12), (0, 14, None)])
def test_shows_are_announced_in_time_but_not_before_the_last(days: int, every: int, lead: int | None) -> None:
    view, live = stage(1, {"announce_days": days, "every_days": every})
    agenda = live.agenda(view, 60)
    shows, told = agenda["live_show"], agenda["live_announcement"]
    if lead is None:
        assert told.n == 0
        return
    assert told.detail.tolist() == shows.time.tolist()
    assert told.time.tolist() == [max(start - lead * DAY, 0) for start in shows.time.tolist()]


DOORS = {"push": 0.0, "moments": 0.0, "article": 0.0, "page": 0.0, "reserve": 1.0}


@pytest.mark.parametrize(
    ("door", "flags", "share"),
    [("push", FOLLOWS, 1), ("push", GROUP, 0), ("push", FOLLOWS | MUTED, 0), ("moments", FOLLOWS, 0.5),
     ("moments", GROUP, 0.5), ("moments", 0, 0), ("article", 0, 0.5), ("page", 0, 0.25)],
)  # fmt: skip
def test_each_door_lets_its_people_know(door: str, flags: int, share: float) -> None:
    view, live = stage(live={**DOORS, door: 0.3}, flags=flags, day=SHOW - 2)
    announce(view, live)
    half = np.arange(N) % 2 == 0
    view.scratch |= {"surface_moments": half, "surface_articles": half}
    show(view, np.arange(0, N, 4), np.zeros(N // 4, np.int64))
    found = events(live.respond(view), "live_reserved")
    assert binomial(found.n, round(N * share), 0.3)
    assert np.unique(found.user).size == found.n


@pytest.mark.parametrize(("reserve_rate", "loyalty", "p"), [(0.3, 0.5, 0.3), (0.3, 1.0, 0.45), (0.0, 1.0, 0.0)])
def test_who_meets_an_announcement_reserves_once(reserve_rate: float, loyalty: float, p: float) -> None:
    params = {**DOORS, "push": 1.0, "page": 1.0, "reserve": reserve_rate}
    view, live = stage(live=params, flags=FOLLOWS, loyalty=loyalty, day=SHOW - 2)
    announce(view, live)
    show(view, np.arange(N), np.zeros(N, np.int64))
    fx = live.respond(view)
    assert binomial(events(fx, "live_reserved").n, N, p)
    assert events(fx, "notice").n == N
    apply(view, fx)
    view.state["user"]["last_seen"][:] = view.clock.end - 1
    seat(view, day=SHOW - 1)
    show(view, np.arange(N), np.zeros(N, np.int64))
    again = live.respond(view)
    assert not events(again, "live_reserved").n and not events(again, "notice").n


def test_reminders_are_found_by_whoever_looks_during_the_show() -> None:
    view, live = stage(50, {**DOORS, "page": 1.0, "remind_minutes": 90, "attend": 1.0}, day=SHOW - 2)
    announce(view, live)
    show(view, np.arange(50), np.zeros(50, np.int64))
    fx = live.respond(view)
    apply(view, fx)
    sent = messages(fx, "live_reminder")
    assert sent.n == 50 and (sent.time == START - 90 * MINUTE).all()
    assert (sent.cause == events(fx, "live_reserved").event).all()
    seat(view, day=SHOW, hour=20, planned=False)
    post_inbox(view, "live_reminder", sent)
    assert events(live.expose(view), "notice").n == 50


def test_in_the_tick_of_the_show_it_is_too_late_to_reserve_and_without_announcement_too() -> None:
    for days, hour, n in ((5, 19, 5), (5, 20, 0), (0, 19, 0)):
        view, live = stage(5, {**DOORS, "page": 1.0, "announce_days": days}, hour=hour)
        announce(view, live)
        show(view, np.arange(5), np.zeros(5, np.int64))
        assert events(live.respond(view), "live_reserved").n == n


def test_a_stranger_whose_mind_is_full_reserves_nothing() -> None:
    view, live = stage(3, {**DOORS, "page": 1.0}, merchants=8, known=6, day=SHOW - 2)
    slots_of(view)["merchant"][0] = [1, 2, 3, 4, 5, 6]
    slots_of(view)["merchant"][1, 0] = -1
    announce(view, live)
    show(view, np.arange(3), np.zeros(3, np.int64))
    assert events(live.respond(view), "live_reserved").user.tolist() == [1, 2]


# ------------------------------------------------------------------------------------------------------------ worlds


def acted(seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Who reserves, watches and gets an article: (user, merchant, ...) with lone numbers, per world."""
    rows: list[tuple[int, ...]] = []
    params = {**DOORS, "article": 0.5, "drop_in": 0.3, "reserve": 0.6}
    view, live = stage(300, params, merchants=2, seeds=seeds, known=0, day=SHOW - 2)
    announce(view, live)
    view.scratch["surface_articles"] = np.ones(view.world.n, np.bool_)
    fx = live.respond(view)
    found: list[tuple[str, Records]] = list(fx.events)
    apply(view, fx)
    seat(view, day=SHOW, hour=20)
    fx = live.expose(view)
    found += fx.events
    shown = Records(sum(e["session"].size for e in fx.exposures), **{
        "user": np.concatenate([e["session"] for e in fx.exposures]),
        "product": np.concatenate([e["product"] for e in fx.exposures]),
    })  # fmt: skip
    found += [("shown", shown), *live.respond(view).messages]
    for kind, table in found:
        for user, merchant, product, detail in _columns(table, "user", "merchant", "product", "detail"):
            world = user // 300
            lone = (merchant - 2 * world if merchant >= 0 else -1, product - 6 * world if product >= 0 else -1)
            rows.append((seeds[world], sum(kind.encode()), user % 300, *lone, detail))
    return sorted(rows)


def _columns(table: Records, *names: str) -> Iterable[tuple[int, ...]]:
    return zip(*(getattr(table, name).tolist() for name in names), strict=True)


def test_stacked_worlds_live_as_alone() -> None:
    both, lone = acted((3, 8)), (acted((3,)), acted((8,)))
    assert both == sorted([*lone[0], *lone[1]])
    assert all(len(rows) > 500 for rows in lone)


def test_where_it_is_off_nobody_is_live() -> None:
    view = make_view(200, 2, columns=Live.columns, day=SHOW, hour=20, known=2)
    live = mechanism(Live, view, on=[False, True], drop_in=1.0)
    merchant: Array = events(live.expose(view), "live_viewed").merchant
    assert merchant.size == 200 and (merchant == 1).all()


LIVELY = """
title: lively
horizon: {start: 2025-03-03, days: 6, tick: 4h}
world: {people: {count: 80}}
platform: {rules: {}, rivals: {attraction: 0}}
people: {browse: {opens: 0.9}, buy: {}, follow: {propensity: 1}, fatigue: {}, gift: {everyday: 0.2}}
merchants:
  tea:
    products: {cake: {category: tea, price: 90}, tin: {category: tea, price: 60}, box: {category: tea, price: 30}}
    channels:
      store: {discovery: 1}
      service_account: {}
      live: {first_day: 1, every_days: 2, hour: 19, hours: 7, announce_days: 2, push: 0.9, page: 1, reserve: 1,
        article: 0.4, drop_in: 0.3, contact_drop_in: 0.7, game_yuan: 2, host: 2, follow_up_open: 1, follow_up_hours: 4}
    offers: {gift_packet: {}}
"""


@pytest.mark.slow
def test_both_engines_agree_on_a_lively_show(tmp_path: Path) -> None:
    path = tmp_path / "lively.yaml"
    path.write_text(LIVELY, "utf-8")
    scenario = load(path)
    verdict = once(scenario, scenario.seed)
    assert verdict.equal, verdict.difference
    assert min(verdict.kinds[kind] for kind in ("live_reserved", "live_viewed", "live_code_used")) > 0
