"""The feed: which published content a session meets, as notes of a tick.

A note holds ids of content by session, shape (sessions, places), 0 where a place is empty. Who publishes, who
recommends, who reads and who likes meet in such notes and nowhere else:

``feed``, ``feed_likes``: what strangers are shown, and how many friends are seen to like it (`platform.recommender`);
``read_<channel>``: what a session has opened (service_account, image_posts, articles); `people.like` reads them all.
"""

from typing import Any, NamedTuple

import numpy as np

from sim import draws
from sim.kernels import choice, expand, segments
from sim.ledger.schema import Records
from sim.units import F64, I64, NOBODY, U64, Array


class Met(NamedTuple):
    """Content that sessions meet: shape (P,) each, ordered by session."""

    session: I64
    at: I64  # position in the content
    place: I64  # column of the note


def by_session(count: int, session: I64, values: Array) -> Array:
    """Values as a note: row s holds those of session s in the order given, shape (count, most of any session)."""
    order = np.argsort(session, kind="stable")
    session = session[order]
    place = segments.rank(session)
    out = np.zeros((count, int(place.max(initial=-1)) + 1), values.dtype)
    out[session, place] = values[order]
    return out


def find(content: Records, ids: U64) -> I64:
    """Where these ids stand in the content, -1 where they do not, in the shape of `ids`."""
    if not content.n:
        return np.full(ids.shape, NOBODY, np.int64)
    order = np.argsort(content.event)
    at: I64 = order[np.minimum(np.searchsorted(content.event, ids, sorter=order), content.n - 1)]
    return np.where(content.event[at] == ids, at, NOBODY)


def met(note: U64 | None, content: Records) -> Met:
    """Which of a note's entries are of this content."""
    if note is None or not note.size or not content.n:
        none = np.zeros(0, np.int64)
        return Met(none, none, none)
    at = find(content, note)
    session, place = (at >= 0).nonzero()
    return Met(session, at[session, place], place)


def opened(view: Any, name: str, sent: Records, click: F64) -> tuple[I64, Records]:
    """Strangers who are shown this content and open it: (session, content), ordered by session.

    `click` is the share of those shown it who do, by merchant. If a friend is seen to like it the odds are multiplied
    (note ``first_like`` of `people.like`), once, however many do. The draw, named after `name`, is addressed by
    (content, user): content that is opened more readily only gains readers.
    """
    shown = met(view.scratch.get("feed"), sent)
    if not shown.session.size:
        return shown.session, sent.take(shown.at)
    liked = view.scratch["feed_likes"][shown.session, shown.place] > 0
    nudge = view.scratch.get("first_like", np.ones(len(view.sessions)))[shown.session]
    rate = choice.at_odds(click[sent.merchant[shown.at]], np.where(liked, nudge, 1.0))
    reader = view.world.local_user(view.sessions.user[shown.session])
    opens = draws.chance(name, sent.event[shown.at], rate, reader)
    return shown.session[opens], sent.take(shown.at[opens])


def deeds(view: Any, kind: str, session: I64, read: Records, quantity: object = 0) -> Records:
    """What these sessions do with content, as events of a kind that it causes."""
    about = {"merchant": read.merchant, "product": read.product, "channel": read.channel, "quantity": quantity}
    out: Records = view.rows(kind, session, index=read.event, cause=read.event, **about)
    return out


def prompt(fx: Any, name: str, count: int, session: I64, read: Records, strength: F64) -> None:
    """Note what `people.follow` reads: by which of these contents each session is asked to follow, and how strongly."""
    notes = strongest(count, session, read.merchant, strength, read.event)
    for what, values in zip(("merchant", "strength", "cause"), notes, strict=True):
        fx.note(f"prompt_{what}.{name}", values)


def under(parts: Records, ids: U64) -> tuple[I64, I64]:
    """The parts of each piece of content, whose id is their cause: (position in `ids`, position in `parts`)."""
    order = np.argsort(parts.cause, kind="stable")
    ranked = parts.cause[order]
    owner, place = expand.expand(np.searchsorted(ranked, ids), np.searchsorted(ranked, ids, side="right"))
    return owner, order[place]


def strongest(count: int, session: I64, merchant: Array, strength: F64, cause: U64) -> tuple[Array, F64, U64]:
    """What each session is prompted by most, of equals the first merchant: (merchant or -1, strength, cause) notes."""
    order = np.lexsort((cause, merchant, -strength, session))
    order = order[segments.first(session[order])]
    who, how, why = np.full(count, NOBODY, np.int32), np.zeros(count), np.zeros(count, np.uint64)
    at = session[order]
    who[at], how[at], why[at] = merchant[order], strength[order], cause[order]
    return who, how, why
