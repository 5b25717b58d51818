"""Who meets an announcement: through which door, how often, and only where one is out."""

from typing import Any

import numpy as np
import pytest

from sim.contract import Effects, View
from sim.ledger.schema import Records
from sim.world import announced
from sim.world.state import FOLLOWS, GROUP, MUTED
from tests.views import apply, make_view, seat, show, slots_of

USERS = 20_000


def stage(flags: int = FOLLOWS, **overrides: Any) -> tuple[View, Records, np.ndarray]:
    """Everybody knows both merchants by these ties; the first has an announcement out since second 50."""
    view = make_view(USERS, 2, known=2, flags=flags, **overrides)
    out = Records(1, time=50, event=9, merchant=0)
    return view, out, announced.which_is_out(out, view.world.m)


def test_each_merchant_has_its_own() -> None:
    out = Records(2, merchant=[3, 1])
    assert announced.which_is_out(out, 5).tolist() == [-1, 1, -1, 0, -1]


def near(count: int, n: int, p: float) -> bool:
    return abs(count - n * p) <= 4 * np.sqrt(n * p * (1 - p))


def test_fans_notice_with_the_chance_stated_once() -> None:
    view, out, which = stage()
    push = np.array([0.3, 0.9])
    session, sent = announced.fans(view, "tests/push", out, which, push)
    assert near(session.size, USERS, 0.3)
    assert set(sent.merchant.tolist()) == {0}
    again, _ = announced.fans(view, "tests/push", out, which, 2 * push)
    assert set(session.tolist()) <= set(again.tolist())  # addressed by announcement and user
    tick = view.clock.end - view.clock.start
    view.state["user"]["last_seen"][:] = tick  # a session after the announcement was out
    assert announced.fans(seat(view), "tests/push", out, which, push)[0].size == 0


@pytest.mark.parametrize("flags", [GROUP, FOLLOWS | MUTED, 0])
def test_who_is_no_fan_or_muted_it_gets_no_message(flags: int) -> None:
    view, out, which = stage(flags)
    assert announced.fans(view, "tests/push", out, which, np.ones(2))[0].size == 0


def test_a_message_that_is_noticed_is_written_down_and_counted() -> None:
    view, out, which = stage()
    session, sent = announced.fans(view, "tests/push", out, which, np.ones(2))
    fx = Effects()
    announced.notice(view, fx, session, sent, sent.event, channel=3)
    ((kind, rows),) = fx.events
    assert (kind, rows.n, set(rows.cause.tolist())) == ("notice", USERS, {9})
    assert (rows.channel == 3).all() and np.unique(rows.event).size == USERS
    apply(view, fx)
    noticed = view.relation("notices", session, sent.merchant)
    assert (noticed == 1.0).all()
    announced.notice(view, empty := Effects(), session[:0], sent.take(sent.time < 0), sent.event[:0])
    assert not empty


def test_readers_of_articles_come_across_what_is_out_alone() -> None:
    view, _, which = stage()
    assert announced.readers(view, "tests/article", which, np.ones(2)).size == 0  # nobody looks at articles
    view.scratch["surface_articles"] = np.arange(USERS) % 2 == 0
    pair = announced.readers(view, "tests/article", which, np.array([0.2, 1.0]))
    assert near(pair.size, USERS // 2, 0.2)
    session, merchant = np.divmod(pair, view.world.m)
    assert (merchant == 0).all() and (session % 2 == 0).all()
    assert announced.readers(view, "tests/article", np.full(2, -1), np.ones(2)).size == 0


def test_visitors_see_it_once_however_many_pages_they_open() -> None:
    view, _, which = stage()
    goods = view.world.products // 2
    show(view, np.repeat(np.arange(USERS), 3), np.tile([0, 1, goods], USERS))
    view.viewed[:3] = [False, False, True]
    pair = announced.visitors(view, "tests/page", which, np.array([0.4, 1.0]))
    assert near(pair.size, USERS - 1, 0.4)
    assert np.unique(pair).size == pair.size
    session, merchant = np.divmod(pair, view.world.m)
    assert 0 not in session and (merchant == 0).all()


def test_worlds_side_by_side_meet_what_they_meet_alone() -> None:
    met = []
    for seeds in ((8,), (7, 8)):
        view = make_view(300, 2, seeds=seeds, known=2, flags=FOLLOWS)
        slots_of(view)
        n = len(view.sessions)
        view.scratch["surface_articles"] = np.ones(n, np.bool_)
        which = np.zeros(view.world.m, np.int64)
        pair = announced.readers(view, "tests/article", which, np.full(view.world.m, 0.3))
        session, merchant = np.divmod(pair, view.world.m)
        mine = session >= n - 300
        met.append(list(zip((session[mine] % 300).tolist(), (merchant[mine] % 2).tolist(), strict=True)))
    assert met[0] == met[1]
    assert len(met[0]) > 100
