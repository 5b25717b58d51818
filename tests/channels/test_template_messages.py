"""Subscribed notices: only those who asked are told, once, and no more than the platform allows."""

from typing import Any

import numpy as np
import pytest

from sim.channels.template_messages import ORDER, RESTOCK, TemplateMessages
from sim.contract import Effects, View
from sim.draws import child
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, Array
from sim.world.state import MINI, MUTED
from tests.views import CHANNELS, apply, make_view, mechanism, post_inbox, post_outcome, seat, slots_of

MINI_PAGE = CHANNELS["mini_program"]


def stage(users: int = 200, notices: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, TemplateMessages]:
    overrides = {"known": 1, "flags": MINI, "day": 2, **overrides}
    view = make_view(users, columns=TemplateMessages.columns, **overrides)
    return view, mechanism(TemplateMessages, view, **(notices or {}))


def events(fx: Effects, kind: str) -> Records:
    return Records.concat([rows for name, rows in fx.events if name == kind])


def order(view: View, granted: Any, channel: int = MINI_PAGE, product: int = 0) -> Records:
    """Everybody orders; ids from 1."""
    user = view.sessions.user
    rows = Records(
        user.size, user=user, merchant=0, product=product, event=np.arange(user.size) + 1, channel=channel,
        time=view.sessions.time, quantity=1,
    )  # fmt: skip
    post_outcome(view, "order", rows, granted)
    return rows


def back(product: int = 0, time: int = 2 * DAY, event: int = 99, variant: int = 0) -> Records:
    return Records(1, time=time, event=event, merchant=0, product=product, variant=variant, quantity=-5)


def published(view: View, *rows: Records) -> None:
    view.contents["back_in_stock"] = Records.concat(rows)


def wait(view: View, product: Any = 0, since: Any = DAY) -> None:
    slots_of(view)["awaited"][:, 0], slots_of(view)["awaited_since"][:, 0] = product, since


# -------------------------------------------------------------------------------------------------- asking for it


def test_buyers_ask_for_notices_at_their_rate_and_only_they_are_told() -> None:
    users, p = 20_000, 0.3
    view, notices = stage(users, {"order_consent": p})
    rows = order(view, True)
    (asked,) = notices.respond(view).opens
    asked = set(asked[0].tolist())
    assert abs(len(asked) - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert asked <= set(child(rows.event, "order_notice").tolist())
    delivered = rows.with_(cause=rows.event, event=rows.event + 10**6, time=rows.time + 3 * DAY)
    ((kind, about),) = notices.settle(view, "delivery", delivered, np.ones(users, np.bool_)).requests
    assert kind == "order_notice" and set(about.cause.tolist()) >= asked
    granted = np.isin(about.cause, np.array(sorted(asked), np.uint64))
    fx = notices.settle(view, kind, about, granted)
    told, ((_, news),) = events(fx, "subscribed_notice"), fx.messages
    assert told.n == news.n == len(asked)
    assert (told.cause == told.user + 1 + 10**6).all()  # the delivery
    assert (news.cause == told.event).all() and (told.time == delivered.time[granted] + 1).all()


@pytest.mark.parametrize(
    ("flags", "channel", "asked"),
    [(0, "mini_program", True), (0, "share_chat", False), (MINI, "share_chat", True), (MINI, "store", False)],
)
def test_they_are_asked_in_the_mini_program(flags: int, channel: str, asked: bool) -> None:
    view, notices = stage(5, {"order_consent": 1.0, "restock_consent": 1.0}, flags=flags)
    order(view, [True, True, False, True, False], CHANNELS[channel])
    fx = notices.respond(view)
    assert sum(some.size for some, _ in fx.opens) == 3 * asked
    apply(view, fx)
    assert slots_of(view)["awaited"][:, 0].tolist() == [-1, -1, 0 if asked else -1, -1, 0 if asked else -1]


def test_a_gift_brings_no_notice() -> None:
    view, notices = stage(1)
    gift = Records(1, user=0, peer=0, merchant=0, event=5, cause=4)
    assert not notices.settle(view, "delivery", gift, np.ones(1, np.bool_)).requests


# ---------------------------------------------------------------------------------------------------- back in stock


def test_what_comes_back_to_an_empty_shelf_is_news_but_the_opening_stock_is_not() -> None:
    view, notices = stage(1)
    view.state["variant"]["stock"][:3] = [0, 4, 0]
    rows = Records.concat([back(variant=0), back(variant=1, event=98), back(variant=2, event=97, time=0)])
    for kind in ("restock", "put_back"):
        fx = notices.settle(view, kind, rows, np.ones(3, np.bool_))
        ((_, news),) = fx.publications
        assert (news.variant.tolist(), news.cause.tolist(), news.quantity.tolist()) == ([0], [99], [5])


def test_those_who_wait_are_told_once_of_the_first_return_since_they_asked() -> None:
    view, notices = stage(6, {"restock_open": 1.0, "wait_days": 1})
    published(view, back(time=DAY, event=1), back(time=DAY + 5, event=2), back(product=1, time=DAY, event=3))
    wait(view, product=[0, 0, 1, 2, -1, 0], since=[DAY - 9, DAY, DAY, 0, 0, 3])
    fx = notices.expose(view)
    told = events(fx, "subscribed_notice")
    assert dict(zip(told.user.tolist(), told.cause.tolist(), strict=True)) == {0: 1, 1: 2, 5: 1}
    assert (told.detail == RESTOCK).all() and (told.time == view.sessions.time[told.user]).all()
    apply(view, fx)
    assert slots_of(view)["awaited"][:, 0].tolist() == [-1, -1, 1, 2, -1, -1]
    assert not notices.expose(view).events


def test_who_has_waited_too_long_or_muted_is_not_told() -> None:
    view, notices = stage(2, {"wait_days": 1})
    slots_of(view)["flags"][1, 0] = MINI | MUTED
    published(view, back(time=DAY + 2))
    wait(view, since=[1, DAY])
    assert not notices.expose(view).events


@pytest.mark.parametrize(("about", "param"), [(ORDER, "order_open"), (RESTOCK, "restock_open")])
def test_notices_are_opened_at_their_rates_and_lead_into_the_mini_program(about: int, param: str) -> None:
    users, p = 20_000, 0.35
    view, notices = stage(users, {"order_open": 0.0, "restock_open": 0.0, param: p, "goods": 2})
    if about == ORDER:
        user = view.sessions.user
        news = Records(users, user=user, merchant=0, product=1, event=user + 1, cause=user + 10**6, time=DAY)
        post_inbox(view, "order_news", news)
    else:
        wait(view, product=1)
        published(view, back(product=1))
    fx = notices.expose(view)
    opened = events(fx, "notice_opened")
    assert events(fx, "notice").n == users
    assert abs(opened.n - users * p) < 4 * np.sqrt(users * p * (1 - p))
    session = np.concatenate([e["session"] for e in fx.exposures])
    product = np.concatenate([e["product"] for e in fx.exposures])
    assert {e["channel"] for e in fx.exposures} == {CHANNELS["template_messages"]}
    shown = [0, 1] if about == ORDER else [1]
    assert product.tolist() == shown * opened.n
    assert session.tolist() == np.repeat(opened.user, len(shown)).tolist()


def test_reminders_of_carts_count_first() -> None:
    view, notices = stage(4)
    user = np.repeat(np.arange(4), 2)
    post_inbox(view, "order_news", Records(8, user=user, merchant=0, product=0, event=np.arange(8) + 1, time=DAY))
    carts = np.repeat(np.arange(4), [0, 1, 2, 3])
    post_inbox(view, "cart_reminder", Records(6, user=carts, merchant=0, product=0, event=np.arange(6) + 50))
    wait(view)
    published(view, back())
    fx = notices.expose(view)
    shown, held = (np.bincount(events(fx, kind).user, minlength=4) for kind in ("notice", "notice_held_back"))
    assert shown.tolist() == [3, 2, 1, 0]
    assert (shown + held == 3).all()


def test_stacked_worlds_do_what_they_do_alone() -> None:
    seen: list[list[Array]] = []
    for seeds in ((3, 8), (3,), (8,)):
        view, notices = stage(300, {"restock_open": 0.5}, seeds=seeds, hour=9)
        wait(view)
        local = [back(event=90 + seed) for seed in seeds]
        published(view, *(row.with_(merchant=2 * i, product=6 * i) for i, row in enumerate(local)))
        product = np.repeat(np.arange(len(seeds)) * 6, 300)
        slots_of(view)["awaited"][:, 0] = product
        seen.append(events(notices.expose(view), "notice_opened").user.tolist())
    assert seen[0] == seen[1] + [user + 300 for user in seen[2]]
    assert seen[1] and len(seen[1]) < 300


def test_a_session_at_the_end_of_the_run_reads_nothing_new() -> None:
    view, notices = stage(3)
    seat(view, day=4, hour=1)
    assert view.clock.start == 4 * DAY + HOUR
    assert not notices.expose(view).events
