"""Tables of rows: columns, defaults, and the little algebra that everything else is written in."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.ledger.schema import ACCOUNTS, COLUMNS, CURRENCIES, POSTING_COLUMNS, Postings, Records

numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**64 - 1), st.integers(-9, 9)), max_size=12)


def records(rows):
    columns = list(zip(*rows, strict=True)) if rows else [[], [], []]
    return Records(len(rows), time=columns[0], event=np.array(columns[1], np.uint64), amount=columns[2])


def as_rows(table):
    return list(zip(*(column.tolist() for column in table.columns().values()), strict=True))


@pytest.mark.parametrize("table", [Records, Postings])
@pytest.mark.parametrize("n", [0, 3])
def test_columns_not_given_hold_their_default(table, n):
    rows = table(n)
    assert len(rows) == rows.n == n
    assert list(rows.columns()) == list(table.schema)
    for name, (dtype, default) in table.schema.items():
        column = getattr(rows, name)
        assert column.dtype == dtype
        assert column.tolist() == [default] * n


def test_columns_are_cast_and_scalars_fill_all_rows():
    rows = Records(3, user=[1, 2, 3], event=2**64 - 1, merchant=7)
    assert rows.user.dtype == np.int32
    assert rows.event.tolist() == [2**64 - 1] * 3
    assert rows.merchant.tolist() == [7] * 3


def test_unknown_columns_and_wrong_lengths_are_refused():
    with pytest.raises(KeyError):
        Records(1, colour=3)
    with pytest.raises(AttributeError, match="Records has no column 'colour'"):
        _ = Records(1).colour  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="broadcast"):
        Records(3, user=[1, 2])


@settings(deadline=None)
@given(numbers, st.data())
def test_take_gives_rows_in_the_order_asked_for(rows, data):
    table = records(rows)
    places = st.lists(st.integers(0, len(rows) - 1), max_size=8) if rows else st.just([])
    index = np.array(data.draw(places), np.int64)
    assert as_rows(table.take(index)) == [as_rows(table)[i] for i in index]
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), np.bool_)
    kept = table.take(mask)
    assert isinstance(kept, Records)
    assert as_rows(kept) == [row for row, keep in zip(as_rows(table), mask, strict=True) if keep]


@settings(deadline=None)
@given(st.lists(numbers, max_size=4))
def test_concat_is_the_rows_one_after_another(parts):
    together = Records.concat([records(rows) for rows in parts])
    assert together.n == sum(len(rows) for rows in parts)
    assert as_rows(together) == [row for rows in parts for row in as_rows(records(rows))]


def test_concat_fills_what_one_table_has_and_another_has_not():
    together = Records.concat([Records(1, user=5), Records(0, peer=1), Records(2, merchant=[3, 4])])
    assert together.user.tolist() == [5, -1, -1]
    assert together.merchant.tolist() == [-1, 3, 4]
    assert Records.concat([]).n == 0
    for name, (dtype, _) in COLUMNS.items():
        assert getattr(together, name).dtype == dtype


def test_with_replaces_some_columns_and_leaves_the_original():
    rows = Records(2, user=[1, 2], amount=[10, 20])
    changed = rows.with_(amount=[30, 40], peer=9)
    assert isinstance(changed, Records)
    assert changed.user.tolist() == [1, 2]
    assert changed.amount.tolist() == [30, 40]
    assert changed.peer.tolist() == [9, 9]
    assert rows.amount.tolist() == [10, 20]
    assert rows.peer.tolist() == [-1, -1]


def test_given_tells_what_was_said():
    rows = Records(2, user=[1, 2])
    assert rows.given("user")
    assert not rows.given("merchant")


@given(numbers)
def test_order_is_by_time_then_event(rows):
    table = records(rows)
    ordered = table.take(table.order())
    assert list(zip(ordered.time.tolist(), ordered.event.tolist(), strict=True)) == sorted((t, e) for t, e, _ in rows)


def test_rows_can_travel_to_a_worker():
    rows = Records(2, user=[1, 2], event=[2**63, 5])
    assert as_rows(pickle.loads(pickle.dumps(rows))) == as_rows(rows)


def test_a_move_names_both_sides_and_its_event():
    rows = Records(3, time=[4, 5, 6], event=[7, 8, 9], user=[1, 2, 3], merchant=0, amount=[100, 0, 50])
    moves = Postings.move(rows, "wallet", rows.user, "escrow", rows.merchant, rows.amount)
    assert isinstance(moves, Postings)
    assert moves.time.tolist() == [4, 6]  # a row that moves nothing is no posting
    assert moves.event.tolist() == [7, 9]
    assert moves.source.tolist() == [ACCOUNTS["wallet"].code] * 2
    assert moves.source_owner.tolist() == [1, 3]
    assert moves.target.tolist() == [ACCOUNTS["escrow"].code] * 2
    assert moves.target_owner.tolist() == [0, 0]
    assert moves.amount.tolist() == [100, 50]
    assert moves.item.tolist() == [-1, -1]
    assert Postings.move(rows, "wallet", 1, "escrow", 0, 5, item=2).item.tolist() == [2, 2, 2]


def test_accounts_have_codes_of_their_own_and_known_currencies():
    codes = [account.code for account in ACCOUNTS.values()]
    assert len(set(codes)) == len(codes)
    assert max(codes) <= np.iinfo(POSTING_COLUMNS["source"][0]).max
    for account in ACCOUNTS.values():
        assert set(account.currencies) <= set(CURRENCIES)
        assert account.owner in ("user", "merchant", "variant", "none")
    assert {c for account in ACCOUNTS.values() for c in account.currencies} == set(CURRENCIES)


def test_a_column_given_as_a_function_is_made_once_and_only_if_it_is_read():
    made = []

    def ids():
        made.append(True)
        return np.array([7, 8, 9], np.uint64)

    rows = Records(3, user=[1, 2, 3], event=ids)
    some = Records.concat([rows.take(np.array([2, 0])), Records(1, user=4, event=1)])
    assert some.user.tolist() == [3, 1, 4]
    assert not made
    assert some.event.tolist() == [9, 7, 1]
    assert rows.event.tolist() == [7, 8, 9]
    assert len(made) == 1


@given(numbers, st.integers(0, 12), st.integers(0, 12))
def test_a_whole_slice_holds_the_same_rows_and_no_table_behind_it(rows, start, stop):
    table = records(rows)
    part = table.take(np.arange(len(rows))[::-1]).take(slice(start, stop))
    assert as_rows(part.whole()) == as_rows(table)[::-1][start:stop]
    assert part.whole()._source is None
