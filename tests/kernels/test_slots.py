"""Relation slots against a user who thinks of one merchant at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.kernels import slots

USERS, MERCHANTS = 4, 9


@st.composite
def tables(draw):
    """A table of distinct merchants per user, with protection and values, and distinct pairs in order."""
    width = draw(st.integers(1, 4))
    known = st.permutations(range(MERCHANTS)).map(lambda order: list(order[:width]))
    holes = st.lists(st.booleans(), min_size=width, max_size=width)
    merchants = np.array([draw(known) for _ in range(USERS)], np.int32)
    merchants[np.array([draw(holes) for _ in range(USERS)])] = -1
    protected = np.array([draw(holes) for _ in range(USERS)])
    values = st.lists(st.integers(-2, 3), min_size=width, max_size=width)
    value = np.array([draw(values) for _ in range(USERS)], np.int64)
    pairs = sorted(draw(st.sets(st.tuples(st.integers(0, USERS - 1), st.integers(0, MERCHANTS - 1)), max_size=15)))
    return merchants, protected, value, pairs


def choose(merchants, protected, value, taken):
    """The slot for a newcomer of one user, given the slots spoken for in this call."""
    free = [k for k in range(len(merchants)) if k not in taken]
    for k in free:
        if merchants[k] == -1:
            return k
    evictable = [k for k in free if not protected[k]]
    return min(evictable, key=lambda k: (value[k], k), default=-1)


def claim_one_by_one(merchants, protected, value, pairs):
    slot, fresh = [], []
    taken = {user: {list(merchants[user]).index(m) for u, m in pairs if u == user and m in merchants[user]}
             for user in range(USERS)}  # fmt: skip
    for user, merchant in pairs:
        if merchant in merchants[user]:
            slot.append(list(merchants[user]).index(merchant))
            fresh.append(False)
            continue
        slot.append(choose(merchants[user], protected[user], value[user], taken[user]))
        fresh.append(slot[-1] >= 0)
        taken[user].add(slot[-1])
    return slot, fresh


@given(tables())
def test_claims_follow_the_rule(case):
    merchants, protected, value, pairs = case
    before = merchants.copy()
    user = np.array([u for u, _ in pairs], np.int32)
    merchant = np.array([m for _, m in pairs], np.int32)
    slot, fresh = slots.claim(merchants, protected, value, user, merchant)
    expected_slot, expected_fresh = claim_one_by_one(merchants, protected, value, pairs)
    assert slot.tolist() == expected_slot
    assert fresh.tolist() == expected_fresh
    assert (merchants == before).all()
    held = [(u, s) for (u, _), s in zip(pairs, slot.tolist(), strict=True) if s >= 0]
    assert len(held) == len(set(held))


@given(tables())
def test_find_knows_the_slot_of_a_merchant(case):
    merchants, _, _, pairs = case
    user = np.array([u for u, _ in pairs], np.int32)
    merchant = np.array([m for _, m in pairs], np.int32)
    expected = [list(merchants[u]).index(m) if m in merchants[u] else -1 for u, m in pairs]
    assert slots.find(merchants, user, merchant).tolist() == expected


def test_nobody_asks():
    none = np.zeros(0, np.int32)
    table = np.full((3, 2), -1, np.int32)
    assert slots.find(table, none, none).size == 0
    slot, fresh = slots.claim(table, table > 0, table.astype(np.int64), none, none)
    assert slot.size == fresh.size == 0
