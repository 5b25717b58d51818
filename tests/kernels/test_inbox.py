"""The mailbox against a dict of lists: same finds, same drops, whatever the batches, orders and sweeps."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels.inbox import Mailbox
from sim.ledger.schema import Records

HOUR = 10  # a short hour, so that small examples cross many ticks
KINDS = ("share", "gift", "broadcast")
WAKES = ("gift", "never sent")


class ListMailbox:
    """The same promise, one message at a time."""

    def __init__(self, capacity, patience):
        self.capacity, self.patience, self.waiting = capacity, patience, {}

    def post(self, kind, user, time, event):
        self.waiting.setdefault(user, []).append((time, event, kind))

    def collect(self, users, before, now, woken):
        found, dropped = {}, []
        for position, (user, look) in enumerate(zip(users, now, strict=True)):
            mine = self.waiting.get(user, [])
            letters = sorted(x for x in mine if x[0] < before and (x[2] in WAKES or not woken[position]))
            self.waiting[user] = [x for x in mine if x not in letters]
            for age_rank, (time, event, kind) in enumerate(reversed(letters)):
                if age_rank < self.capacity and look - time <= self.patience:
                    found.setdefault(kind, []).append((position, time, event))
                else:
                    dropped.append((user, time, event))
        return {kind: sorted(rows) for kind, rows in found.items()}, sorted(dropped)


def found_as_lists(found):
    return {
        kind: list(zip(position.tolist(), rows.time.tolist(), rows.event.tolist(), strict=True))
        for kind, (rows, position) in found.items()
    }


def as_list(rows):
    return list(zip(rows.user.tolist(), rows.time.tolist(), rows.event.tolist(), strict=True))


@st.composite
def lives(draw):
    """Ticks of posts (kind, user, time, event), of readers (user, (when she looks, only woken)), and when to sweep."""
    ticks = []
    for tick in range(draw(st.integers(1, 8))):
        seconds = st.integers(tick * HOUR, tick * HOUR + HOUR - 1)
        posts = draw(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4), seconds), max_size=25))
        readers = sorted(draw(st.dictionaries(st.integers(0, 4), st.tuples(seconds, st.booleans()))).items())
        ticks.append((posts, readers, draw(st.booleans())))
    return ticks


def post_all(box, posts, base, cuts, turn):
    """Post in batches cut at `cuts`, in an order turned by `turn`; event ids follow from the message alone."""
    rows = [(kind, user, time, base + number + 1) for number, (kind, user, time) in enumerate(posts)]
    rows = rows[turn:] + rows[:turn]
    for batch in np.array_split(np.arange(len(rows)), cuts):
        for kind in KINDS:
            chosen = [rows[i] for i in batch if rows[i][0] == kind]
            columns = list(zip(*chosen, strict=True)) if chosen else [[], [], [], []]
            box.post(kind, Records(len(chosen), user=columns[1], time=columns[2], event=columns[3]))
    return rows


@given(lives(), st.integers(1, 4), st.integers(0, 3 * HOUR), st.integers(1, 4), st.integers(0, 10))
def test_readers_find_what_a_list_would_give_them(ticks, capacity, patience, cuts, turn):
    box, oracle = Mailbox(5, capacity, patience, Records), ListMailbox(capacity, patience)
    dropped, expected_drops, posted, seen = [], [], 0, 0
    ticks.append(([], [(user, (len(ticks) * HOUR, False)) for user in range(5)], False))  # in the end everyone looks
    for tick, (posts, readers, swept) in enumerate(ticks):
        if swept:
            dropped += as_list(box.sweep(tick * HOUR))
        for message in post_all(box, posts, 1000 * tick, cuts, turn):
            oracle.post(*message)
        posted += len(posts)
        users = np.array([u for u, _ in readers], np.int32)
        now = np.array([t for _, (t, _) in readers], np.int64)
        woken = np.array([only for _, (_, only) in readers], np.bool_)
        found, unseen = box.collect(users, tick * HOUR, now, woken, WAKES)
        expected, expected_unseen = oracle.collect(users.tolist(), tick * HOUR, now.tolist(), woken.tolist())
        assert found_as_lists(found) == expected
        assert list(found) == sorted(found)
        dropped += as_list(unseen)
        expected_drops += expected_unseen
        seen += sum(rows.n for rows, _ in found.values())
        assert box.pending() == posted - seen - len(dropped)
    assert Counter(dropped) == Counter(expected_drops)
    assert box.pending() == 0


def test_messages_of_the_current_tick_wait():
    box = Mailbox(3, 5, 100, Records)
    box.post("gift", Records(2, user=[1, 1], time=[9, 10], event=[7, 8]))
    found, _ = box.collect(np.array([1], np.int32), 10, 15)
    assert found["gift"][0].event.tolist() == [7]
    found, _ = box.collect(np.array([1], np.int32), 20, 25)
    assert found["gift"][0].event.tolist() == [8]


def test_every_column_comes_back():
    box = Mailbox(4, 5, 100, Records)
    sent = Records(1, user=2, peer=3, time=5, event=2**63 + 1, cause=9, amount=-7, detail=2**40, channel=6)
    box.post("gift", sent)
    rows, position = box.collect(np.array([0, 2], np.int32), 6, 6)[0]["gift"]
    assert position.tolist() == [1]
    for name, column in sent.columns().items():
        assert getattr(rows, name).tolist() == column.tolist()
        assert getattr(rows, name).dtype == column.dtype


def test_the_newest_are_kept_across_kinds():
    box = Mailbox(1, 2, 100, Records)
    box.post("share", Records(2, user=0, time=[1, 3], event=[1, 2]))
    box.post("gift", Records(2, user=0, time=[2, 3], event=[3, 4]))
    found, dropped = box.collect(np.array([0], np.int32), 10, 10)
    assert {kind: rows.event.tolist() for kind, (rows, _) in found.items()} == {"gift": [4], "share": [2]}
    assert sorted(dropped.event.tolist()) == [1, 3]


def test_columns_that_some_kinds_lack_hold_their_default():
    box = Mailbox(2, 9, 100, Records)
    reader = np.array([1], np.int32)
    for _ in range(3):  # places in the pool are used again
        box.post("share", Records(1, user=1, time=1, event=1))
        box.post("gift", Records(1, user=1, time=1, event=2, amount=50, product=4))
        box.post("share", Records(1, user=1, time=2, event=3, product=6))
        found, _ = box.collect(reader, 5, 5)
        assert found["share"][0].product.tolist() == [-1, 6]
        assert found["share"][0].amount.tolist() == [0, 0]
        assert found["gift"][0].amount.tolist() == [50]


@pytest.mark.parametrize("users", [[], [0], [0, 1]])
def test_an_empty_mailbox_gives_nothing(users):
    box = Mailbox(2, 2, 100, Records)
    box.post("share", Records(0))
    found, unseen = box.collect(np.array(users, np.int32), 10, 10)
    assert (found, unseen.n, box.sweep(10_000).n) == ({}, 0, 0)


def test_a_sweep_throws_away_only_what_is_stale():
    box = Mailbox(3, 5, 100, Records)
    box.post("share", Records(4, user=[2, 1, 0, 0], time=[9, 4, 9, 10], event=[1, 2, 1, 3]))
    stale = box.sweep(110)
    assert sorted(as_list(stale)) == [(0, 9, 1), (1, 4, 2), (2, 9, 1)]
    found, unseen = box.collect(np.arange(3, dtype=np.int32), 110, 110)
    assert found_as_lists(found) == {"share": [(0, 10, 3)]}
    assert unseen.n == 0


def test_the_pool_does_not_grow_with_what_was_read():
    box = Mailbox(10, 100, 10**6, Records)
    everyone = np.arange(10, dtype=np.int32)
    for tick in range(200):
        box.post("share", Records(10, user=everyone, time=tick, event=np.arange(10) + 10 * tick + 1))
        found, _ = box.collect(everyone, tick + 1, tick + 1)
        assert found["share"][0].n == 10
    assert box._kind.size <= 40
