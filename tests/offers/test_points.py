"""Points: exact small cases, and whole runs whose every balance is counted again from the ledger."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import catalog
from sim.config.load import load
from sim.contract import LAYERS, Effects, View
from sim.draws import child
from sim.engine.engine import PATIENCE
from sim.ledger.audit import audit
from sim.ledger.schema import ACCOUNTS, Records
from sim.offers.points import AGAIN, EARNED, MOST, RETURNED, Points
from sim.run import run
from sim.units import DAY, HOUR, NOBODY
from sim.world.calendar import Calendar
from sim.world.relations import Relations
from sim.world.state import FOLLOWS, MEMBER, MINI, MUTED
from tests.views import apply, make_view, mechanism, post_inbox, post_outcome, seat, show, slots_of

LATER = 10**8  # a second at which nothing has lapsed yet
NAMES = {account.code: name for name, account in ACCOUNTS.items()}


def stage(users: int = 6, params: dict[str, Any] | None = None, /, **overrides: Any) -> tuple[View, Points]:
    """A view in which everybody is a customer of one merchant, and its points."""
    columns = {"points_until": LATER, "orders": 1, **overrides}
    view = make_view(users, 1, columns=Points.columns, **columns)
    view.channels = {name: code for code, name in enumerate(catalog.channels())}
    return view, mechanism(Points, view, **(params or {}))


def offs(fx: Effects) -> list[int]:
    """Fen that points take off, by exposure offered."""
    assert all(layer == "points" for _, _, layer in fx.discounts)
    return [int(off) for _, some, _ in fx.discounts for off in some]


def moved(fx: Effects) -> Counter[tuple[str, str]]:
    """Points moved, by source and target account."""
    out: Counter[tuple[str, str]] = Counter()
    for currency, moves in fx.posts:
        assert currency == "points" and (moves.amount > 0).all()
        for source, target, amount in zip(moves.source, moves.target, moves.amount, strict=True):
            out[NAMES[int(source)], NAMES[int(target)]] += int(amount)
    return out


def written(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


# ----------------------------------------------------------------------------------------------------- spending


@given(
    held=st.integers(0, 3_000),
    more=st.integers(0, 500),
    worth=st.integers(1, 50),
    least=st.integers(1, 1_500),
    share=st.floats(0, 1),
    cap=st.integers(0, 200),
)
def test_points_pay_what_balance_share_and_cap_allow_in_whole_points_and_more_points_never_less(
    held: int, more: int, worth: int, least: int, share: float, cap: int
) -> None:
    params = {"fen_per_point": worth, "min_points": least, "max_share": share, "max_yuan": cap, "spend_rate": 1.0}
    found = []
    for balance in (held, held + more):
        view, points = stage(1, params, points=balance)
        shown = show(view, np.array([0]), np.array([0]))
        off = sum(offs(points.appraise(view)))
        most = min(round(share * 10_000) * int(shown.amount[0]) // 10_000, 100 * cap, balance * worth)
        assert off == (most // worth * worth if balance >= least else 0)
        found.append(off)
    assert found[0] <= found[1]


@pytest.mark.parametrize(
    ("spent_in", "channel", "flags", "pays"),
    [
        ("both", "store", 0, True),
        ("store", "store", MINI, True),
        ("store", "mini_program", 0, False),
        ("store", "search", MINI, False),
        ("store", "search", 0, True),
        ("mini_program", "store", MINI, False),
        ("mini_program", "search", MINI, True),
        ("mini_program", "mini_program", 0, True),
        ("mini_program", "points", 0, True),
        ("store", "points", MINI, True),
    ],
)
def test_where_points_are_taken(spent_in: str, channel: str, flags: int, pays: bool) -> None:
    view, points = stage(1, {"spent_in": spent_in, "spend_rate": 1.0}, points=500, flags=flags)
    show(view, np.array([0]), np.array([0]), view.channel(channel))
    assert offs(points.appraise(view)) == ([500] if pays else [])


def test_neither_gifts_nor_woken_sessions_nor_lapsed_points_pay() -> None:
    for change, pays in (({}, True), ({"planned": False}, False), ({"points_until": 12 * HOUR}, False)):
        view, points = stage(1, {"spend_rate": 1.0}, **{"points": 500, **change})
        show(view, np.array([0]), np.array([0]))
        assert bool(offs(points.appraise(view))) == pays
        view.scratch["gift_peer"] = np.array([3])
        assert not offs(points.appraise(view))


def redeem(view: View, points: Points, granted: bool) -> Effects:
    """The first user pays an order of 100 yuan, 5 yuan of it with points."""
    show(view, np.array([0]), np.array([0])).off[:, LAYERS.index("points")] = 500
    view.chosen = np.array([0])
    post_outcome(view, "order", Records(1, user=0, merchant=0, product=0, event=77, amount=9_500), granted)
    return points.respond(view)


def test_points_are_settled_with_a_granted_order_and_kept_if_it_is_refused() -> None:
    view, points = stage(1, {"points_per_yuan": 0.0, "fen_per_point": 2}, points=400)
    fx = redeem(view, points, granted=False)
    assert not fx.posts and not fx.opens and slots_of(view)["points"][0, 0] == 400
    fx = redeem(view, points, granted=True)
    apply(view, fx)
    assert moved(fx) == {("holder", "redeemed"): 250}
    assert slots_of(view)["points"][0, 0] == 150 == written(fx, "points_balance").quantity[0]
    spent = written(fx, "points_redeemed")
    assert (spent.cause[0], spent.amount[0], spent.quantity[0]) == (77, 500, 250)
    assert {(int(s), int(n)) for subject, holder in fx.opens for s, n in zip(subject, holder, strict=True)} == {
        (int(spent.event[0]), 250),
        (int(slots_of(view)["points_event"][0, 0]), 150),
    }


# ------------------------------------------------------------------------------------------------------ earning


@pytest.mark.parametrize(
    ("earned_in", "channel", "flags", "amount", "points"),
    [
        ("both", "store", 0, 9_999, 149),  # 99.99 yuan at 1.5 a yuan: 149.985
        ("both", "store", MEMBER, 9_999, 299),
        ("both", "store", 0, 66, 0),
        ("both", "store", MEMBER, 10**12, MOST),
        ("mini_program", "store", MINI, 9_999, 0),
        ("mini_program", "search", MINI, 9_999, 149),
        ("mini_program", "mini_program", 0, 9_999, 149),
        ("store", "mini_program", 0, 9_999, 0),
        ("store", "gift_packet", 0, 9_999, 149),
    ],
)
def test_what_an_order_promises(earned_in: str, channel: str, flags: int, amount: int, points: int) -> None:
    view, made = stage(
        3, {"earned_in": earned_in, "points_per_yuan": 1.5, "member_multiplier": 2.0, "sign_in_rate": 0.0}, flags=flags
    )
    rows = Records(2, user=[0, 2], merchant=0, channel=view.channel(channel), event=[5, 6], amount=amount)
    post_outcome(view, "gift_order" if channel == "gift_packet" else "order", rows, [True, False])
    fx = made.respond(view)
    promised = written(fx, "points_pending")
    assert promised.quantity.tolist() == ([points] if points else [])
    assert promised.cause.tolist() == [5] * promised.n and not fx.posts
    assert [holder.tolist() for _, holder in fx.opens] == ([[points]] if points else [])


@pytest.mark.parametrize(
    ("when", "start", "points"),
    [("always", -1, 600), ("campaign", -1, 200), ("campaign", 1, 200), ("campaign", 0, 600)],
)
def test_orders_earn_more_in_the_window_of_the_joint_campaign(when: str, start: int, points: int) -> None:
    view, made = stage(1, {"when": when, "multiplier": 3.0, "member_multiplier": 2.0}, flags=MEMBER)
    span = {"campaign_start": np.array([start * DAY]), "campaign_end": np.array([(start + 1) * DAY])}
    view.state["merchant"] |= span
    post_outcome(view, "order", Records(1, user=0, merchant=0, channel=view.channel("store"), event=5, amount=100_00))
    assert written(made.respond(view), "points_pending").quantity.tolist() == [points]


def test_a_kept_order_earns_and_a_returned_one_gives_back_what_it_took() -> None:
    view, points = stage(2)
    promised, spent = (int(child(np.uint64(5), of)[0]) for of in ("points_pending", "points_redeemed"))
    end = Records(1, time=9 * DAY, event=8, cause=5, user=1, merchant=0, detail=3)
    for kind, back, asks, closes in (
        ("completion", True, (promised, EARNED), {spent}),
        ("return", True, (spent, RETURNED), {promised}),
        ("return", False, None, {promised, spent}),
        ("gift_deadline", True, None, {promised, spent}),
    ):
        points = mechanism(Points, view, give_back=back)
        fx = points.settle(view, kind, end, np.array([True]))
        asked = [(int(rows.cause[0]), int(rows.detail[0])) for name, rows in fx.requests if name == "points_credit"]
        assert asked == ([asks] if asks else []), kind
        assert {int(s) for closed in fx.closes for s in closed} == closes, kind


def test_a_notice_is_repeated_after_the_inbox_has_lost_it_while_people_come() -> None:
    assert AGAIN >= PATIENCE + DAY  # so that nobody ever finds both
    view, points = stage(2)
    rows = Records(1, time=40 * HOUR, event=9, cause=5, user=1, peer=120, merchant=0, detail=EARNED)
    fx = points.settle(view, "points_credit", rows, np.array([True]))
    ((_, message),), ((_, again),) = fx.messages, fx.requests
    assert (message.user[0], message.peer[0], message.quantity[0], message.cause[0]) == (1, NOBODY, 120, 5)
    assert (again.time[0] - 40 * HOUR, again.cause[0]) == (AGAIN, 5) and again.event[0] not in (9, message.event[0])
    assert [(s.tolist(), h.tolist()) for s, h in fx.opens] == [([5], [120])]
    assert not points.settle(view, "points_credit", rows, np.array([False]))
    seat(view, running=False)
    assert not points.settle(view, "points_credit", rows, np.array([True])).requests


@pytest.mark.parametrize(("about", "source"), [(EARNED, "issuer"), (RETURNED, "redeemed")])
def test_points_are_hers_when_she_finds_the_notice(about: int, source: str) -> None:
    view, points = stage(4, {"fen_per_point": 3, "sign_in_rate": 0.0}, points=10, points_event=33, planned=False)
    view.state["user"]["last_seen"][:] = 0
    slots_of(view)["points_until"][1] = 5  # hers have lapsed
    slots_of(view)["points"][2], slots_of(view)["orders"][2] = 0, 0  # nothing keeps the merchant in her mind
    notice = Records(
        3, time=3, user=[0, 1, 2], merchant=0, event=[1, 2, 3], cause=[7, 8, 9], quantity=120, detail=about
    )
    post_inbox(view, "points_notice", notice)
    fx = points.respond(view)
    apply(view, fx)
    assert moved(fx) == {(source, "holder"): 240}
    assert slots_of(view)["points"][:, 0].tolist() == [130, 120, 0, 10]
    rows = written(fx, "points_earned" if about == EARNED else "points_returned")
    assert rows.cause.tolist() == [7, 8] and rows.amount.tolist() == [360, 360]
    assert sorted(int(s) for some in fx.closes for s in some) == [7, 8, 33]  # her lapsed statement closed by itself
    assert written(fx, "points_balance").quantity.tolist() == [130, 120]


def test_customers_with_the_mini_program_sign_in_with_the_rate_once_a_session() -> None:
    users, rate = 8_000, 0.3
    view, points = stage(users, {"sign_in_rate": rate, "sign_in_points": 7}, flags=MINI)
    slots_of(view)["flags"][::2] = 0
    fx = points.respond(view)
    apply(view, fx)
    signed = written(fx, "points_sign_in")
    assert abs(signed.n - users / 2 * rate) < 4 * np.sqrt(users / 2 * rate * (1 - rate))
    assert (signed.user % 2 == 1).all() and moved(fx) == {("issuer", "holder"): 7 * signed.n}
    assert slots_of(view)["points"].sum() == 7 * signed.n
    again = points.expose(view).exposures[0]  # the same people stand in the zone
    assert set(view.sessions.user[again["session"]].tolist()) == set(signed.user.tolist())


# ------------------------------------------------------------------------------------------------------- lapsing


def test_a_balance_that_nobody_touched_lapses_at_its_second_and_is_looked_at_before() -> None:
    view, points = stage(2, {"fen_per_point": 2})
    until = 30 * DAY
    rows = Records(1, time=4 * DAY, event=9, cause=5, user=1, peer=120, merchant=0, detail=until)
    times = []
    while (fx := points.settle(view, "points_lapse", rows, np.array([True]))).requests:
        ((_, rows),) = fx.requests
        times.append(int(rows.time[0]))
        assert [(s.tolist(), h.tolist()) for s, h in fx.opens] == [([5], [120])] and not fx.posts
        rows = rows.with_(peer=120)  # as the desk does for whoever wins
    assert times[-1] == until and all(b - a == AGAIN for a, b in zip(times, times[1:-1], strict=False))
    gone = written(fx, "points_expired")
    assert moved(fx) == {("holder", "expired"): 120}
    assert (gone.time[0], gone.quantity[0], gone.amount[0], gone.cause[0]) == (until, 120, 240, 5)
    assert not points.settle(view, "points_lapse", rows, np.array([False]))
    seat(view, running=False)
    assert not points.settle(view, "points_lapse", rows, np.array([True]))


@pytest.mark.parametrize(("lapse", "until"), [("rolling", 30 * DAY), ("year_end", 12 * DAY)])
def test_when_a_balance_lapses(lapse: str, until: int) -> None:
    view, points = stage(
        50,
        {"lapse": lapse, "valid_days": 30, "sign_in_rate": 1.0},
        flags=MINI,
        calendar=Calendar(date(2025, 12, 20), 60),
    )
    apply(view, points.respond(view))
    got = slots_of(view)["points_until"][:, 0]
    assert got.tolist() == (view.sessions.time * (lapse == "rolling") + until).tolist()
    seat(view, day=13)
    apply(view, points.respond(view))
    new_year = (12 + 365) * DAY
    want = new_year if lapse == "year_end" else view.sessions.time + until
    assert (slots_of(view)["points_until"][:, 0] == want).all()
    assert (slots_of(view)["points"][:, 0] == (2 if lapse == "year_end" else 4)).all()


def test_a_reminder_is_found_in_the_first_session_of_the_days_before() -> None:
    view, points = stage(3, {"remind_days": 5, "notice_open": 1.0}, flags=FOLLOWS, points=300, points_until=20 * DAY)
    slots_of(view)["flags"][1:, 0] = [0, FOLLOWS | MUTED]
    for day, seen, found in ((14, -1, []), (16, 14, [0]), (17, 16, []), (19, -1, [0])):
        view.state["user"]["last_seen"][:] = seen * DAY
        fx = points.expose(seat(view, day=day))
        reminded = written(fx, "points_reminded")
        assert reminded.user.tolist() == found, day
        shown = [(int(s), float(a)) for e in fx.exposures for s, a in zip(e["session"], e["appeal"], strict=True)]
        assert {s for s, _ in shown} == set(found) and all(a == 2.0 for _, a in shown)


# ---------------------------------------------------------------------------------------------------- coming back


@pytest.mark.parametrize(
    ("seen_in", "flags", "knows"),
    [
        ("both", MINI, True),
        ("both", 0, False),
        ("service_account", MINI, False),
        ("service_account", FOLLOWS, True),
        ("both", FOLLOWS | MUTED, False),
        ("mini_program", MINI, True),
        ("mini_program", FOLLOWS, False),
        ("nowhere", MINI | FOLLOWS, False),
    ],
)
def test_a_known_balance_is_thought_of_the_more_the_nearer_the_reward(seen_in: str, flags: int, knows: bool) -> None:
    held = np.array([0, 1, 25, 50, 100, 900])
    params = {"seen_in": seen_in, "recall": 0.4, "gradient": 2.0, "min_points": 100, "sign_in_rate": 0.0}
    view, points = stage(6, params, points=np.tile(held[:, None], (1, 6)), flags=flags)
    apply(view, points.respond(view))
    want = 0.4 * np.minimum(held / 100, 1.0) ** 2 * knows
    assert slots_of(view)["recall_points"][:, 0] == pytest.approx(want, abs=1e-7)
    slots_of(view)["flags"][:, 0] = 0  # she turns away: the pull is gone after her next session
    apply(view, points.respond(seat(view)))
    assert not slots_of(view)["recall_points"].any()


# --------------------------------------------------------------------------------------------------- whole runs

LIVELY = """
title: Points, small and lively
extends: base
horizon: {start: 2025-12-24, days: 22, tick: 4h}
world: {people: {count: 120}, graph: {kind: community, mean_degree: 10}}
people: {browse: {opens: 0.8}, buy: {nothing: 0}, repurchase: {r: 5, alpha: 5}}
platform: {rules: {return_window_days: 2}, rivals: {attraction: -3}}
merchants:
  tea_house:
    channels: {store: {discovery: 1}, mini_program: {scan: 0.2, adoption: 0.8}, service_account: {follow_prompt: 1}}
    operations: {after_sale: {return_rate: 0.4, within_72h: [0.99, 0.99, 0.99, 0.99]}}
    offers: {gift_packet: {}, points: {sign_in_rate: 0.5, points_per_yuan: 5, valid_days: 5, remind_days: 3}}
  orchard:
    channels: {store: {discovery: 1}, mini_program: {scan: 0.2, adoption: 0.8}}
    operations: {after_sale: {return_rate: 0.4, within_72h: [0.99, 0.99, 0.99, 0.99]}}
    offers: {points: {points_per_yuan: 10, fen_per_point: 3, min_points: 10, lapse: year_end, give_back: false}}
"""


@pytest.mark.slow
def test_rows_hold_what_the_ledger_says_and_orders_earn_and_give_back_as_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Relations] = []

    class Watched(Relations):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            kept.append(self)

    monkeypatch.setattr("sim.engine.engine.Relations", Watched)
    (tmp_path / "lively.yaml").write_text(LIVELY, "utf-8")
    (ledger,) = run(load(tmp_path / "lively.yaml"), (3,), (tmp_path / "run",))
    assert audit(ledger).ok
    holder: Counter[tuple[int, int]] = Counter()
    for source, owner, target, target_owner, item, amount in ledger.rows(
        "SELECT source, source_owner, target, target_owner, item, amount FROM postings WHERE currency = 'points'"
    ):
        holder[owner, item] -= amount * (source == "holder")
        holder[target_owner, item] += amount * (target == "holder")
    rows: Counter[tuple[int, int]] = Counter()
    columns = kept[0].columns
    for user, row in enumerate(kept[0].row.tolist()):
        for merchant, held, until in zip(
            *(columns[c][row] for c in ("merchant", "points", "points_until")), strict=True
        ):
            if merchant >= 0 and until >= 22 * DAY:  # else it has lapsed, and she has not looked since
                rows[user, int(merchant)] += int(held)
    assert +rows == +holder and len(+rows) > 20
    replay(ledger)


def replay(ledger: Any) -> None:
    """Every balance once more from the events alone, by plain loops."""
    happened: dict[str, list[dict[str, Any]]] = defaultdict(list)
    kinds = "kind LIKE 'points%' OR kind IN ('order', 'gift_sent', 'completed', 'returned')"
    for each in ledger.query(f"SELECT * FROM events WHERE {kinds} ORDER BY time, event").to_pylist():
        happened[each["kind"]].append(each)
    for kind in ("points_earned", "points_returned", "points_redeemed", "points_expired", "points_sign_in"):
        assert len(happened[kind]) > 3, kind
    ended = {each["cause"]: each["kind"] for kind in ("completed", "returned") for each in happened[kind]}
    order_of = {each["event"]: each["cause"] for k in ("points_pending", "points_redeemed") for each in happened[k]}
    assert {ended[order_of[each["cause"]]] for each in happened["points_earned"]} == {"completed"}
    assert {ended[order_of[each["cause"]]] for each in happened["points_returned"]} == {"returned"}
    back = {each["merchant"] for each in happened["points_returned"]}
    assert len(back) == 1 and len({each["merchant"] for each in happened["points_redeemed"]}) == 2  # give_back
    for kind in ("points_earned", "points_returned"):
        assert len({each["cause"] for each in happened[kind]}) == len(happened[kind])  # found once
    promised = {each["event"]: each["quantity"] for k in ("points_pending", "points_redeemed") for each in happened[k]}
    assert all(
        each["quantity"] == promised[each["cause"]]
        for k in ("points_earned", "points_returned")
        for each in happened[k]
    )
    balances(happened)
    for each in happened["points_expired"]:
        assert each["time"] == next(e for e in happened["points_balance"] if e["event"] == each["cause"])["detail"]


def balances(happened: dict[str, list[dict[str, Any]]]) -> None:
    """After each tick every account holds what its statement says; without one all of it has lapsed."""
    signs = {"points_earned": 1, "points_returned": 1, "points_sign_in": 1, "points_redeemed": -1, "points_expired": -1}
    change: Counter[tuple[int, int, int]] = Counter()
    for kind, sign in signs.items():
        for each in happened[kind]:
            change[each["time"] // (4 * HOUR), each["user"], each["merchant"]] += sign * each["quantity"]
    stated = {(e["time"] // (4 * HOUR), e["user"], e["merchant"]): e["quantity"] for e in happened["points_balance"]}
    assert stated.keys() <= change.keys()
    balance: Counter[tuple[int, int]] = Counter()
    for (tick, user, merchant), points in sorted(change.items()):
        balance[user, merchant] += points
        assert balance[user, merchant] == stated.get((tick, user, merchant), 0)
