"""Announcements: who meets one that a merchant has out, such as a live show or a lottery, through which door.

`out` are the announcements that are open, and `which` (m,) says which of them is that of each merchant, -1 for none:
there is at most one. What is returned are pairs session · m + merchant, but for fans. Draws are named after `name`.
"""

from typing import Any

import numpy as np

from sim import draws
from sim.ledger.schema import Records
from sim.units import F64, I64, U64
from sim.world.state import FOLLOWS, MUTED


def which_is_out(out: Records, merchants: int) -> I64:
    """The announcement of each merchant, shape (merchants,)."""
    which = np.full(merchants, -1)
    which[out.merchant] = np.arange(out.n)
    return which


def fans(view: Any, name: str, out: Records, which: I64, push: F64) -> tuple[I64, Records]:
    """Fans who notice the message to them, in their first planned session after it: (session, what they notice).

    They do with the chance `push` of the merchant, addressed by (announcement, user).
    """
    hears = (view.relations("flags") & (FOLLOWS | MUTED)) == FOLLOWS
    merchant = view.relations("merchant").astype(np.int64)
    at = (hears & (which[merchant] >= 0) & view.sessions.planned[view.related]).nonzero()[0]
    session, sent, tick = view.related[at], out.take(which[merchant[at]]), view.clock.end - view.clock.start
    new = view.own("last_seen")[session] < (sent.time // tick + 1) * tick
    reader = view.world.local_user(view.sessions.user[session])
    notices = draws.chance(name, sent.event, push[sent.merchant], reader) & new
    return session[notices], sent.take(notices)


def notice(view: Any, fx: Any, session: I64, rows: Records, cause: U64, **columns: Any) -> None:
    """A message of the merchant that each session notices counts towards her fatigue; `rows` are the messages."""
    if rows.n:
        user, time = view.sessions.user[session], view.sessions.time[session]
        event = draws.child(rows.event, "notice", view.world.local_user(user))
        about = {"merchant": rows.merchant, "cause": cause, **columns}
        fx.event("notice", Records(rows.n, time=time, event=event, user=user, **about))
        fx.relate("add", "notices", session, rows.merchant, 1.0)


def readers(view: Any, name: str, which: I64, article: F64) -> I64:
    """Planned sessions that read articles and come across it, strangers' too, with the chance `article` (m,)."""
    now, world = view.sessions, view.world
    looks = view.scratch.get("surface_articles", np.zeros(len(now), np.bool_))
    reading = (looks & now.planned).nonzero()[0]
    local = np.unique(world.local_merchant((which >= 0).nonzero()[0]))
    session, number = np.repeat(reading, local.size), np.tile(local, reading.size)
    merchant = world.world_of(now.user[session]).astype(np.int64) * world.merchants + number
    across = draws.chance(name, now.event[session], article[merchant], number) & (which[merchant] >= 0)
    out: I64 = (session * world.m + merchant)[across]
    return out


def visitors(view: Any, name: str, which: I64, page: F64) -> I64:
    """Planned sessions that see a page of the merchant, and the announcement on it, with the chance `page` (m,)."""
    shown, m = view.exposures, view.world.m
    seen = (view.viewed & (which[shown.merchant] >= 0) & view.sessions.planned[shown.session]).nonzero()[0]
    pair: I64 = np.unique(shown.session[seen] * m + shown.merchant[seen])
    session, merchant = np.divmod(pair, m)
    local = view.world.local_merchant(merchant)
    return pair[draws.chance(name, view.sessions.event[session], page[merchant], local)]
