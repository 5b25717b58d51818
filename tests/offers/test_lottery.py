from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import draws
from sim.config.load import load
from sim.contract import Effects, View
from sim.engine.settle import Subjects, grant
from sim.ledger.schema import ACCOUNTS, Records
from sim.offers.lottery import FAN, HUNTER, STRANGER, Lottery
from sim.study.verify import once
from sim.units import DAY, HOUR, Array
from sim.world.state import FOLLOWS, MUTED, PINNED
from tests.views import CHANNELS, apply, csr, make_view, mechanism, post_inbox, seat, show, slots_of

N = 20_000
OPENS, DRAW = 7 * DAY + 12 * HOUR, 14 * DAY + 12 * HOUR
NAMES = {account.code: name for name, account in ACCOUNTS.items()}
CLOSED = {"push": 0.0, "article": 0.0, "page": 0.0, "notice": 0.0, "hunters": 0.0, "entry": 1.0}


def stage(users: int = N, given: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Lottery]:
    """Everybody has a session on the second day of a lottery that is open, and reads articles."""
    overrides = {"merchants": 1, "known": 1, "day": 8, **overrides}
    view = make_view(users, columns=Lottery.columns, **overrides)
    made: Lottery = mechanism(Lottery, view, **{**CLOSED, **(given or {})})
    rows = made.agenda(view, 90)["lottery_open"]
    fx = made.settle(view, "lottery_open", rows, np.ones(rows.n, np.bool_))
    view.contents["lottery_open"] = Records.concat([r.take(r.time < view.clock.start) for _, r in fx.publications])
    view.scratch["surface_articles"] = np.ones(users * len(view.world.seeds), np.bool_)
    return view, made


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def messages(fx: Effects) -> Records:
    return Records.concat([rows for _, rows in fx.messages])


def tickets(fx: Effects) -> Records:
    return Records.concat([rows for kind, rows in fx.requests if kind == "lottery_ticket"])


def moves(fx: Effects) -> Counter[tuple[str, str, str]]:
    out: Counter[tuple[str, str, str]] = Counter()
    for currency, rows in fx.posts:
        for source, target, amount in zip(rows.source, rows.target, rows.amount, strict=True):
            out[currency, NAMES[int(source)], NAMES[int(target)]] += int(amount)
    return out


def binomial(count: int, n: int, p: float) -> bool:
    return abs(count - n * p) <= 4 * np.sqrt(n * p * (1 - p))


# ---------------------------------------------------------------------------------------------------------- opening


def test_a_lottery_gives_away_the_cheapest_product_and_is_drawn_when_it_closes() -> None:
    view, lottery = stage(1, {"every_days": 30}, merchants=2, price=[500, 300, 300, 900, 800, 700])
    rows = lottery.agenda(view, 60)["lottery_open"]
    assert rows.time.tolist() == [OPENS, OPENS + 30 * DAY] * 2
    assert rows.detail.tolist() == [DRAW, DRAW + 30 * DAY] * 2
    assert rows.product.tolist() == [1, 1, 5, 5] and (rows.quantity == 5).all()


@pytest.mark.parametrize(
    ("door", "flags", "share"),
    [("push", FOLLOWS, 1), ("push", 0, 0), ("push", FOLLOWS | MUTED, 0), ("article", 0, 0.5), ("page", 0, 0.25)],
)
def test_each_door_lets_its_people_know(door: str, flags: int, share: float) -> None:
    view, lottery = stage(given={door: 0.3}, flags=flags)
    view.scratch["surface_articles"] = np.arange(N) % 2 == 0
    show(view, np.arange(0, N, 4), np.zeros(N // 4, np.int64))
    found = events(lottery.checkout(view), "lottery_entered")
    assert binomial(found.n, round(N * share), 0.3)
    assert np.unique(found.user).size == found.n


def test_friends_notice_and_are_known_as_those_who_told() -> None:
    view, lottery = stage(given={"notice": 0.4, "article": 0.5})
    told = Records(N, user=np.arange(N), peer=(np.arange(N) + 1) % N, merchant=0, cause=99, event=np.arange(N) + 1)
    post_inbox(view, "lottery_invite", told)
    found = events(lottery.checkout(view), "lottery_entered")
    assert binomial(found.n, N, 1 - 0.6 * 0.5)
    friend = found.peer >= 0
    assert binomial(int(friend.sum()), N, 0.4)
    assert (found.cause[friend] == 99).all() and (found.peer[friend] == (found.user[friend] + 1) % N).all()
    assert (found.cause[~friend] == view.content("lottery_open").event[0]).all()


def test_it_is_closed_in_the_tick_of_the_draw_and_before_it_opens() -> None:
    for day, hour, n in ((7, 11, 0), (8, 0, 5), (14, 11, 5), (14, 12, 0)):
        view, lottery = stage(5, {"article": 1.0}, day=day, hour=hour)
        assert events(lottery.checkout(view), "lottery_entered").n == n


def test_the_message_to_fans_is_met_once_and_counts_towards_fatigue() -> None:
    view, lottery = stage(100, {"push": 1.0, "entry": 0.0}, flags=FOLLOWS)
    fx = lottery.checkout(view)
    assert events(fx, "notice").n == 100
    apply(view, fx)
    assert (slots_of(view)["notices"][:, 0] == 1).all()
    view.state["user"]["last_seen"][:] = view.clock.end - 1
    assert not lottery.checkout(seat(view, day=9)).events


# --------------------------------------------------------------------------------------------------------- entering


def test_hunters_and_others_enter_at_their_own_rates() -> None:
    view, lottery = stage(given={"article": 1.0, "hunters": 0.2, "hunter_entry": 0.8, "entry": 0.1})
    kind = events(lottery.checkout(view), "lottery_entered").detail
    assert binomial(int((kind == HUNTER).sum()), N, 0.16)
    assert binomial(int((kind == STRANGER).sum()), N, 0.08)


def test_a_hunter_is_one_for_life() -> None:
    found = []
    for day in (8, 68):
        view, lottery = stage(2_000, {"article": 1.0, "hunters": 0.3, "entry": 0.0, "hunter_entry": 1.0}, day=day)
        found.append(events(lottery.checkout(view), "lottery_entered").user.tolist())
    assert found[0] == found[1] and 400 < len(found[0]) < 800


def entrants(**params: float) -> set[int]:
    view, lottery = stage(300, {"article": 0.5, "hunters": 0.3, **params})
    return set(events(lottery.checkout(view), "lottery_entered").user.tolist())


@given(entry=st.floats(0, 1), hunter=st.floats(0, 1), article=st.floats(0, 1), more=st.floats(0, 0.5))
@settings(max_examples=20)
def test_what_makes_it_easier_only_gains_entrants(entry: float, hunter: float, article: float, more: float) -> None:
    base = {"entry": entry, "hunter_entry": hunter, "article": article}
    few = entrants(**base)
    for name, value in base.items():
        assert few <= entrants(**{**base, name: min(value + more, 1.0)})


def test_who_enters_follows_and_tells_friends() -> None:
    view, lottery = stage(4, {"article": 1.0, "hunters": 1.0, "hunter_entry": 1.0, "invites": 2}, graph=csr(
        np.array([3, 1, 0, 2]), np.array([1, 2, 3, 0, 0, 1])))  # fmt: skip
    slots_of(view)["flags"][1, 0] = FOLLOWS
    fx = lottery.checkout(view)
    entered, told = events(fx, "lottery_entered"), messages(fx)
    assert entered.detail.tolist() == [HUNTER, FAN, HUNTER, HUNTER]
    assert entered.quantity.tolist() == [2, 1, 0, 2]
    assert told.peer.tolist() == [0, 0, 1, 3, 3] and told.user.tolist()[2:] == [0, 0, 1]
    assert (told.cause == entered.event[[0, 0, 1, 3, 3]]).all()
    assert events(fx, "follow").user.tolist() == [0, 2, 3]
    apply(view, fx)
    assert (slots_of(view)["flags"][:, 0] & FOLLOWS == FOLLOWS).all()
    assert slots_of(view)["prize_fan"][:, 0].tolist() == [True, False, True, True]
    assert view.state["merchant"]["fans"].tolist() == [3]
    assert not events(lottery.checkout(view), "lottery_entered").n  # once


def test_close_friends_are_told_first() -> None:
    view, lottery = stage(2_000, {"article": 1.0, "invites": 1, "layer_weights": (3.0, 1.0, 0.0, 0.0)})
    told = messages(lottery.checkout(view))
    steps = np.minimum((told.user - told.peer) % 2_000, (told.peer - told.user) % 2_000)
    assert binomial(int((steps == 1).sum()), 2_000, 0.75)  # the two nearest weigh 3 each, the next two 1
    assert steps.max() == 2


def test_the_muted_and_those_whose_mind_is_full_do_not_enter() -> None:
    view, lottery = stage(3, {"article": 1.0}, merchants=8, known=6)
    slots_of(view)["merchant"][0] = [1, 2, 3, 4, 5, 6]
    slots_of(view)["flags"][1, :] = MUTED
    found = events(lottery.checkout(view), "lottery_entered")
    assert found.merchant[found.user == 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert found.merchant[found.user == 1].tolist() == []
    assert found.merchant[found.user == 2].tolist() == [0, 1, 2, 3, 4, 5]


def spread_of(users: int, degree: int, finders: int, **params: float) -> tuple[int, int]:
    """Entrants who found it by themselves, and all, where everybody knows `degree` people at random."""
    random = np.random.default_rng(4)
    graph = csr(np.full(users, degree), random.integers(0, users, users * degree))
    view, lottery = stage(users, {"article": 1.0, "invites": 3, **params}, graph=graph)
    view.scratch["surface_articles"] = np.arange(users) < finders
    fx, count = lottery.checkout(view), 0
    found = first = events(fx, "lottery_entered").n
    while found:
        count += found
        sent = messages(fx)
        apply(view, fx)
        seat(view, user=np.unique(sent.user), day=9 + count % 5)
        post_inbox(view, "lottery_invite", sent)
        fx = lottery.checkout(view)
        found = events(fx, "lottery_entered").n
    return first, count


def test_it_spreads_as_a_branching_process() -> None:
    """s / (1 - R) entrants; the variance is s σ² / (1 - R)³ with σ² that of the entrants whom one leads to."""
    q = 0.4 * 0.5  # notices and enters
    first, whole = spread_of(60_000, 15, 1_200, entry=0.5, notice=0.4)
    R, variance = 3 * q, 3 * q * (1 - q)
    assert abs(whole - first / (1 - R)) < 4 * np.sqrt(first * variance / (1 - R) ** 3)


# ---------------------------------------------------------------------------------------------------------- the draw


def drawn(view: View, lottery: Lottery, waiting: Records) -> Iterator[Effects]:
    """The rounds of a draw, served by the engine's own desk."""
    subjects, state = Subjects(), {table: dict(columns) for table, columns in view.state.items()}
    rows = lottery.agenda(view, 60)["lottery_open"]
    subjects.add(lottery.settle(view, "lottery_open", rows, np.ones(rows.n, np.bool_)).opens)
    while waiting.n:
        tick = int(waiting.time.min()) // HOUR
        assert (waiting.time // HOUR == tick).all()
        day, hour = divmod(tick, 24)
        seat(view, day=day, hour=hour, user=np.zeros(0, np.int64))
        waiting, granted = grant("once", waiting.take(waiting.order()), state, subjects)
        fx = lottery.settle(view, "lottery_ticket", waiting, granted)
        yield fx
        waiting = tickets(fx)


@given(people=st.integers(1, 40), prizes=st.integers(0, 12))
@settings(max_examples=25)
def test_the_smallest_tickets_win_one_prize_each(people: int, prizes: int) -> None:
    view, lottery = stage(people, {"article": 1.0, "prizes": prizes})
    fx = lottery.checkout(view)
    entered = events(fx, "lottery_entered")
    assert entered.n == people
    rounds = list(drawn(view, lottery, tickets(fx)))
    won = Records.concat([events(one, "lottery_won") for one in rounds])
    assert won.cause.tolist() == np.sort(entered.event)[:prizes].tolist()
    assert np.unique(won.user).size == won.n == min(prizes, people)
    sent = Records.concat([rows for one in rounds for kind, rows in one.requests if kind == "lottery_prize"])
    assert sorted(sent.user.tolist()) == sorted(won.user.tolist()) and (sent.quantity == 1).all()
    assert np.diff(won.time // HOUR).tolist() == [1] * (won.n - 1)


def test_every_ticket_has_the_same_chance() -> None:
    """Winners' numbers are uniform: over 60 draws of 5 among 40 their mean is 19.5, within four standard errors."""
    numbers: list[int] = []
    for seed in range(60):
        view, lottery = stage(40, {"article": 1.0, "prizes": 5}, seeds=(seed,))
        for fx in drawn(view, lottery, tickets(lottery.checkout(view))):
            numbers += events(fx, "lottery_won").user.tolist()
    assert len(numbers) == 300
    assert abs(np.mean(numbers) - 19.5) < 4 * np.sqrt((40**2 - 1) / 12 / 300)


def test_a_prize_leaves_the_shelf_and_is_paid_for() -> None:
    view, lottery = stage(3, {"parcel_yuan": 7, "parcel_hours": 48})
    won = Records(3, time=DRAW, user=[0, 1, 2], merchant=0, product=0, variant=0, quantity=1, event=[5, 6, 7])
    fx = lottery.settle(view, "lottery_prize", won, np.array([True, True, False]))
    assert moves(fx) == {("stock", "shelf", "transit"): 2}
    assert events(fx, "lottery_missed").user.tolist() == [2]
    ((kind, parcels),) = fx.requests
    assert kind == "lottery_delivered" and (parcels.time == DRAW + 48 * HOUR).all()
    got = lottery.settle(view, kind, parcels, np.ones(2, np.bool_))
    assert moves(got) == {
        ("stock", "transit", "customer"): 2, ("fen", "cash", "supplier"): 12_000, ("fen", "cash", "courier"): 1_400,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------- fans for the prize


def fans(n: int, day: int, **params: float) -> tuple[View, Lottery]:
    view, lottery = stage(n, dict(params), flags=FOLLOWS | PINNED, prize_fan=True, lottery=DRAW, day=day)
    view.state["merchant"]["fans"][:] = n
    return view, lottery


def test_after_the_draw_fans_for_the_prize_turn_away() -> None:
    view, lottery = fans(N, 15, turn_away=0.5, leaves=0.6)
    fx = lottery.deliver(view)
    gone, mutes = events(fx, "unfollow"), events(fx, "mute")
    assert binomial(gone.n, N, 0.3) and binomial(mutes.n, N, 0.2)
    assert np.intersect1d(gone.user, mutes.user).size == 0
    apply(view, fx)
    flags, still = slots_of(view)["flags"][:, 0], slots_of(view)["prize_fan"][:, 0]
    assert (flags[gone.user] == MUTED).all() and (flags[mutes.user] == FOLLOWS | PINNED | MUTED).all()
    assert (flags[still] == FOLLOWS | PINNED).all() and still.sum() == N - gone.n - mutes.n
    assert view.state["merchant"]["fans"].tolist() == [N - gone.n]


@pytest.mark.parametrize(("day", "change"), [(13, {}), (15, {"prize_fan": False}), (15, {"planned": False})])
def test_before_the_draw_and_with_other_fans_nothing_happens(day: int, change: dict[str, bool]) -> None:
    overrides: dict[str, Any] = {"prize_fan": True, **change}
    view, lottery = stage(50, {"turn_away": 1.0}, flags=FOLLOWS, lottery=DRAW, day=day, **overrides)
    assert not lottery.deliver(view)


def test_fans_for_the_prize_care_less_for_what_the_account_shows() -> None:
    view, lottery = fans(2, 9, indifference=0.7)
    slots_of(view)["prize_fan"][1] = False
    account = CHANNELS["service_account"]
    show(view, np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([account, 0, account]))
    (appeal,) = lottery.appraise(view).appeals
    assert appeal.tolist() == [-0.7, 0.0, 0.0]


# ------------------------------------------------------------------------------------------------------------ worlds


def acted(seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Entries, invitations and tickets with the numbers of the lone worlds."""
    steps = np.array([1, -1, 2, -2, 3])
    ring = ((np.arange(200)[:, None] + steps) % 200).ravel()
    graph = csr(np.full(200 * len(seeds), 5), np.concatenate([ring + 200 * i for i in range(len(seeds))]))
    params = {"article": 0.5, "hunters": 0.4, "invites": 2}
    view, lottery = stage(200, params, merchants=2, known=0, seeds=seeds, graph=graph)
    fx = lottery.checkout(view)
    rows: list[tuple[int, ...]] = []
    for table in (events(fx, "lottery_entered"), messages(fx), tickets(fx)):
        columns: list[Array] = [table.user, table.peer, table.merchant, table.detail, table.event]
        for user, peer, merchant, detail, event in zip(*(c.tolist() for c in columns), strict=True):
            world = user // 200
            friend = peer - 200 * world if peer >= 0 else -1
            rows.append((seeds[world], user % 200, friend, merchant - 2 * world, detail, event))
    return sorted(rows)


def test_stacked_worlds_play_as_alone() -> None:
    lone = [acted((3,)), acted((8,))]
    assert acted((3, 8)) == sorted([*lone[0], *lone[1]])
    assert all(len(rows) > 300 for rows in lone)


def test_a_ticket_is_the_entry_and_waits_for_the_draw() -> None:
    view, lottery = stage(30, {"article": 1.0})
    fx = lottery.checkout(view)
    rows = tickets(fx)
    assert rows.event.tolist() == events(fx, "lottery_entered").event.tolist()
    assert (rows.time == DRAW).all()
    opened = view.content("lottery_open").event[0]
    assert (rows.cause == draws.child(opened, "prize", 0)).all()


LIVELY = """
title: lively
horizon: {start: 2025-03-03, days: 6, tick: 4h}
world: {people: {count: 80}}
platform: {rules: {}, rivals: {attraction: 1}}
people: {browse: {opens: 0.9}, buy: {}, follow: {propensity: 1}, fatigue: {}}
merchants:
  tea:
    products: {cake: {category: tea, price: 90}, tin: {category: tea, price: 60}}
    channels: {store: {discovery: 1}, service_account: {}}
    offers: {lottery: {first_day: 1, every_days: 3, open_days: 2, article: 0.3, page: 0.5, entry: 0.5, prizes: 4}}
    operations: {inventory: {opening: 2, reorder_quantity: 0}}
"""


@pytest.mark.slow
def test_both_engines_agree_on_a_lottery_with_too_few_prizes(tmp_path: Path) -> None:
    path = tmp_path / "lively.yaml"
    path.write_text(LIVELY, "utf-8")
    scenario = load(path)
    verdict = once(scenario, scenario.seed)
    assert verdict.equal, verdict.difference
    assert min(verdict.kinds[kind] for kind in ("lottery_entered", "lottery_won", "lottery_missed")) > 0
