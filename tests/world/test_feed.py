"""Notes of content: what goes in comes out again, whatever stands beside it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.ledger.schema import Records
from sim.world import feed
from tests.views import make_view

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 2**64 - 1)), max_size=12)


@given(PAIRS, st.sets(st.integers(1, 2**64 - 1), max_size=5))
def test_a_note_gives_back_what_sessions_met(pairs: list[tuple[int, int]], others: set[int]) -> None:
    session, ids = (np.array([p[i] for p in pairs], t) for i, t in ((0, np.int64), (1, np.uint64)))
    note = feed.by_session(7, session, ids)
    assert note.shape[0] == 7
    known = sorted({i for _, i in pairs if i % 3} | others)
    content = Records(len(known), event=np.array(known, np.uint64))
    met = feed.met(note, content)
    got = sorted(zip(met.session.tolist(), content.event[met.at].tolist(), strict=True))
    assert got == sorted((s, i) for s, i in pairs if i in known)
    assert (note[met.session, met.place] == content.event[met.at]).all()


def test_of_no_note_nothing_is_met() -> None:
    assert feed.met(None, Records(1, event=5)).session.size == 0
    assert feed.met(np.zeros((3, 1), np.uint64), Records(0)).session.size == 0
    assert feed.find(Records(0), np.array([4], np.uint64)).tolist() == [-1]


@given(st.lists(st.integers(1, 5), max_size=10), st.lists(st.integers(1, 5), max_size=6))
def test_parts_stand_under_what_caused_them(causes: list[int], ids: list[int]) -> None:
    parts = Records(len(causes), cause=np.array(causes, np.uint64), event=np.arange(len(causes)))
    owner, at = feed.under(parts, np.array(ids, np.uint64))
    got = list(zip(owner.tolist(), at.tolist(), strict=True))
    assert got == [(o, a) for o, one in enumerate(ids) for a, cause in enumerate(causes) if cause == one]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.floats(0.1, 9.0)), max_size=12))
def test_the_strongest_prompt_counts(asked: list[tuple[int, int, float]]) -> None:
    session, merchant = (np.array([a[i] for a in asked], np.int64) for i in (0, 1))
    strength = np.array([a[2] for a in asked])
    who, how, why = feed.strongest(5, session, merchant, strength, np.arange(len(asked)).astype(np.uint64) + 1)
    for s in range(5):
        mine = [(-strong, m, i + 1) for i, (t, m, strong) in enumerate(asked) if t == s]
        best = min(mine, default=(0.0, -1, 0))
        assert (-how[s], who[s], why[s]) == best


def shown_once(click: float, likes: int, nudge: float, users: int = 20_000) -> int:
    """How many open what all are shown, if so many friends of each like it."""
    view = make_view(users)
    sent = Records(1, event=5, merchant=0)
    view.scratch |= {
        "feed": np.full((users, 1), 5, np.uint64),
        "feed_likes": np.full((users, 1), likes),
        "first_like": np.full(users, nudge),
    }
    session, read = feed.opened(view, "tests/open", sent, np.array([click, 0.0]))
    assert session.size == read.n
    return read.n


def test_the_first_like_multiplies_the_odds_of_opening_and_no_other_does() -> None:
    p = 0.2
    liked = 2.0 * p / (1 - p) / (1 + 2.0 * p / (1 - p))
    for likes, want in ((0, p), (1, liked), (9, liked)):
        assert abs(shown_once(p, likes, 2.0) - 20_000 * want) < 4 * np.sqrt(20_000 * want * (1 - want))
    assert shown_once(p, 1, 2.0) == shown_once(p, 9, 2.0) > shown_once(p, 0, 2.0)
