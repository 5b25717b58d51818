"""Relations against a dictionary of dictionaries; rows for those alone who have any."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.world.relations import Relations
from sim.world.state import CORE, SLOTS, Column

USERS, MERCHANTS = 8, 5
MET = Column("slot", "met", np.bool_, 1, "whether they met")
FRESH = {column.name: column.default for column in (*CORE, MET) if column.table == "slot"}

beginnings = st.lists(
    st.dictionaries(
        st.integers(0, USERS - 1), st.tuples(st.integers(0, MERCHANTS - 1), st.integers(0, 99)), min_size=1
    ),
    max_size=8,
)


def begin(relations: Relations, who: list[int], slot: list[int], merchant: list[int]) -> None:
    """The next slot of each of these users is for that merchant."""
    user = np.array(who)
    relations.give(user)
    relations.open(relations.row[user].astype(np.int64) * SLOTS + np.array(slot), np.array(merchant))


@given(beginnings, st.permutations(range(USERS)))
def test_they_are_a_dictionary_of_dictionaries(batches: list[dict[int, tuple[int, int]]], asked: list[int]) -> None:
    relations, model = Relations(USERS, (*CORE, MET)), {user: dict[int, int]() for user in range(USERS)}
    for batch in batches:
        new = {user: merchant for user, (merchant, _) in batch.items() if merchant not in model[user]}
        if new:
            begin(relations, list(new), [len(model[user]) for user in new], list(new.values()))
        users, merchants, points = (np.array(x) for x in zip(*[(u, m, p) for u, (m, p) in batch.items()], strict=True))
        place = relations.find(users, merchants)
        assert (place >= SLOTS).all()  # none in the row of those who have none
        relations.columns["points"].reshape(-1)[place] = points
        for user, (merchant, some) in batch.items():
            model[user][merchant] = some
    at, place = relations.of(np.array(asked))
    assert at.tolist() == [i for i, user in enumerate(asked) for _ in model[user]]
    assert relations.read("merchant", place).tolist() == [m for user in asked for m in model[user]]
    assert relations.read("points", place).tolist() == [p for user in asked for p in model[user].values()]
    user, merchant = np.divmod(np.arange(USERS * MERCHANTS), MERCHANTS)
    known = [m in model[u] for u, m in zip(user.tolist(), merchant.tolist(), strict=True)]
    assert (relations.find(user, merchant) >= 0).tolist() == known


@given(beginnings)
def test_rows_are_for_those_alone_who_have_relations_and_the_first_stays_fresh(
    batches: list[dict[int, tuple[int, int]]],
) -> None:
    relations, seen = Relations(USERS, (*CORE, MET)), list[int]()
    for batch in batches:
        begin(relations, list(batch), [0] * len(batch), [merchant for merchant, _ in batch.values()])
        seen += [user for user in batch if user not in seen]
    assert sorted(relations.row[seen].tolist()) == list(range(1, len(seen) + 1))
    assert np.count_nonzero(relations.row) == len(seen)
    for name, column in relations.columns.items():
        assert (column[0] == FRESH[name]).all(), name
        assert (column[relations.row[seen], 1:] == FRESH[name]).all(), name  # slots that nobody opened
        assert name == "merchant" or (column[relations.row[seen], 0] == FRESH[name]).all(), name


def test_a_place_that_is_opened_again_remembers_nothing() -> None:
    relations = Relations(1, (*CORE, MET))
    begin(relations, [0], [2], [4])
    for column in relations.columns.values():
        column[1, 2] = 7
    begin(relations, [0], [2], [3])
    row = {name: column[1, 2].item() for name, column in relations.columns.items()}
    assert row == {**FRESH, "merchant": 3}


def test_opening_values_are_everybodys() -> None:
    points = np.arange(3 * SLOTS).reshape(3, SLOTS)
    relations = Relations(3, CORE, {"merchant": np.tile([4, -1, -1, -1, -1, 2], (3, 1)), "points": points})
    at, place = relations.of(np.array([2, 0]))
    assert at.tolist() == [0, 0, 1, 1]
    assert relations.read("merchant", place).tolist() == [4, 2, 4, 2]
    assert relations.read("points", place).tolist() == [12, 17, 0, 5]


def test_threads_never_give_one_row_twice() -> None:
    users, blocks = 20_000, 200
    relations = Relations(users, CORE)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(relations.give, np.array_split(np.arange(users), blocks)))
    assert np.array_equal(np.sort(relations.row), np.arange(1, users + 1))


def test_rows_that_nobody_has_are_not_written_to() -> None:
    """So they take no memory: address space is set aside for everybody, pages for those who have relations."""
    relations, user = Relations(1_000, (*CORE, MET)), np.arange(0, 1_000, 10)
    begin(relations, user.tolist(), [0] * user.size, [1] * user.size)
    for name, column in relations.columns.items():
        assert not column[1 + user.size :].any(), name  # not even by a default
