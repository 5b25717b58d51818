"""The feed: which published content a session meets, as notes of a tick.

A note holds ids of content by session, shape (sessions, places), 0 where a place is empty. Who publishes, who
recommends, who reads and who likes meet in such notes and nowhere else:

``feed``, ``feed_likes``: what strangers are shown, and how many friends are seen to like it (`platform.recommender`);
``read_<channel>``: what a session has opened (service_account, image_posts, articles); `people.like` reads them all.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import expand, segments
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
