"""A sound ledger passes; spoilt in any way, the audit names the first event that breaks a law."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sim.ledger.audit import CHECKS, WAY, audit
from sim.ledger.reader import Ledger
from sim.units import DAY, HOUR
from tests.ledger.story import Story, market

Row = dict[str, Any]


def find(told: Story, kind: str, nth: int = 0) -> Row:
    return [row for row in told.events if row["kind"] == kind][nth]


def moves_of(told: Story, event: Row) -> list[Row]:
    return [move for move in told.moves if move["event"] == event["event"]]


def drop(told: Story, event: Row) -> None:
    told.events.remove(event)
    told.moves = [move for move in told.moves if move["event"] != event["event"]]


def drop_a_row(told: Story) -> Row:
    order = find(told, "order")
    told.events.remove(order)
    return order


def double_a_refund(told: Story) -> Row:
    back = find(told, "returned")
    told.moves.append(dict(moves_of(told, back)[0]))
    return back


def change_an_amount(told: Story) -> Row:
    move = moves_of(told, find(told, "completed"))[0]
    move["amount"] -= 1
    return find(told, "completed")


def move_less_than_nothing(told: Story) -> Row:
    spend = find(told, "spend")
    moves_of(told, spend)[0]["amount"] = -1_500
    return spend


def lose_a_cause(told: Story) -> Row:
    mute = find(told, "mute")
    mute["cause"] = 999
    return mute


def let_an_effect_come_before_its_cause(told: Story) -> Row:
    mute = find(told, "mute")
    mute["time"] = find(told, "share")["time"] - 1
    return mute


def pay_later(told: Story) -> Row:
    order = find(told, "order")
    for move in moves_of(told, order):
        move["time"] += 1
    return {**order, "time": order["time"] + 1}


def never_end_a_gift(told: Story) -> Row:
    drop(told, find(told, "gift_expired"))
    return find(told, "gift_sent", 1)


def claim_an_expired_gift(told: Story) -> Row:
    gift = find(told, "gift_sent", 1)
    told.claim(gift, 5 * DAY + HOUR)
    return gift


def end_a_deal_twice(told: Story) -> Row:
    order = find(told, "order")
    row = told.event("returned", 10 * DAY, order, user=1)
    assert row["cause"] == order["event"]
    return order


def end_what_never_began(told: Story) -> Row:
    return told.event("completed", 10 * DAY, find(told, "visit"), user=1)


def sell_from_an_empty_shelf(told: Story) -> Row:
    for move in moves_of(told, find(told, "restocked", 1)):
        if move["currency"] == "stock":
            told.moves.remove(move)
    return find(told, "gift_sent", 1)


def give_two_events_one_id(told: Story) -> Row:
    mute = find(told, "mute")
    told.events.append({**mute, "kind": "follow", "time": mute["time"] + 5})
    return mute


def pay_with_stock(told: Story) -> Row:
    spend = find(told, "spend")
    told.move(spend, "stock", ("cash", 0), "scrap", 1, 0)
    return spend


def ship_what_nobody_ordered(told: Story) -> Row:
    row = told.event("restocked", 40 * DAY)
    told.move(row, "stock", "factory", ("transit", 2), 1, 2)
    return row


def use_a_coupon_twice(told: Story) -> Row:
    return told.event("coupon_expired", 20 * DAY, find(told, "coupon_claimed"), user=5)


def keep_a_commission_for_ever(told: Story) -> Row:
    drop(told, find(told, "commission_paid"))
    return find(told, "commission_held")


def pay_a_promoter_less(told: Story) -> Row:
    paid = find(told, "commission_paid")
    moves_of(told, paid)[0]["amount"] -= 1
    return paid


def pay_another_commission_than_was_held(told: Story) -> Row:
    paid = find(told, "commission_paid")
    paid["amount"] = moves_of(told, paid)[0]["amount"] = 249
    return find(told, "commission_held")


def sell_for_nothing(told: Story) -> Row:
    order = find(told, "order", 1)
    told.moves = [move for move in told.moves if move["event"] != order["event"] or move["currency"] != "fen"]
    return order


SPOILT: dict[str, Callable[[Story], Row]] = {
    "every posting has its event": drop_a_row,
    "closed accounts stay above zero": sell_from_an_empty_shelf,
    "the escrow of a deal ends at zero": double_a_refund,
    "amounts are positive": move_less_than_nothing,
    "every cause comes first": lose_a_cause,
    "a gift is claimed or expires": claim_an_expired_gift,
    "every deal ends once": end_a_deal_twice,
    "every end has its deal": end_what_never_began,
    "an id names one event": give_two_events_one_id,
    "accounts hold their own currency": pay_with_stock,
    "nothing is left on the way": ship_what_nobody_ordered,
    "a coupon is used once": use_a_coupon_twice,
    "a deal moves its goods and its money": sell_for_nothing,
    "every commission ends once": keep_a_commission_for_ever,
    "commission held is paid, void or open": pay_a_promoter_less,
}


def test_a_sound_ledger_passes(tmp_path: Path) -> None:
    report = audit(market().write(tmp_path / "run"))
    assert str(report) == f"{len(CHECKS)} checks passed"
    assert report.ok
    assert report.first is None


def test_an_empty_ledger_passes(tmp_path: Path) -> None:
    assert audit(Story().write(tmp_path / "run")).ok


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        *SPOILT.items(),
        ("every cause comes first", let_an_effect_come_before_its_cause),
        ("every posting has its event", pay_later),
        ("every commission ends once", pay_another_commission_than_was_held),
    ],
)
def test_the_first_breaking_event_is_named(check: str, spoil: Callable[[Story], Row], tmp_path: Path) -> None:
    told = market()
    guilty = spoil(told)
    report = audit(told.write(tmp_path / "run"))
    assert report.digest_matches
    assert not report.ok
    found = {found.check: found for found in report.breaks}
    assert found[check].event == guilty["event"]
    assert found[check].time == guilty["time"]
    assert f"event {guilty['event']:016x}" in str(found[check])
    assert report.breaks == tuple(sorted(report.breaks, key=lambda b: (b.time, b.event)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "checks"),
    [
        (change_an_amount, {"the escrow of a deal ends at zero", "nothing is left on the way"}),
        (never_end_a_gift, {"every deal ends once", "a gift is claimed or expires", "nothing is left on the way"}),
    ],
)
def test_one_fault_is_seen_from_every_side(spoil: Callable[[Story], Row], checks: set[str], tmp_path: Path) -> None:
    told = market()
    guilty = spoil(told)
    report = audit(told.write(tmp_path / "run"))
    found = {found.check: found.event for found in report.breaks}
    assert checks <= set(found)
    assert guilty["event"] in found.values()


def test_every_check_but_the_daily_one_is_spoilt_here() -> None:
    assert set(CHECKS) - set(SPOILT) == {"daily counts agree with events"}


@pytest.mark.parametrize(
    ("extra", "wrong"),
    [
        ({"stopped": 2}, set()),
        ({}, {WAY, "every deal ends once", "the escrow of a deal ends at zero", "every commission ends once"}),
    ],
)
def test_a_deal_may_be_open_only_if_the_run_was_stopped(tmp_path: Path, extra: dict[str, int], wrong: set[str]) -> None:
    told = Story()
    told.restock(0, 0, 1, 100)
    told.hold(told.order(DAY, user=1, amount=500), 2, 50)
    writer = told.writer(tmp_path / "run")
    told.tell(writer)
    writer.close(scenario={}, strategy="base", seeds=[1], days=2, extra=extra)
    assert {found.check for found in audit(Ledger(tmp_path / "run")).breaks} == wrong


def rewrite(path: Path, column: str, value: pa.Array) -> None:
    table = pq.read_table(path)
    at = table.column_names.index(column)
    pq.write_table(table.set_column(at, table.schema.field(at), value.cast(table.schema.field(at).type)), path)


def test_daily_counts_that_disagree_are_named(tmp_path: Path) -> None:
    told = market()
    ledger = told.write(tmp_path / "run")
    path = tmp_path / "run" / "daily.parquet"
    table = pq.read_table(path)
    wrong = pc.if_else(pc.equal(table["kind"].cast(pa.string()), "returned"), 1, table["amount"])
    rewrite(path, "amount", wrong.combine_chunks())
    (found,) = audit(ledger).breaks
    assert (found.check, found.event) == ("daily counts agree with events", find(told, "returned")["event"])
    assert "daily has 1 returned of 1 fen, the events 1 of 6000" in found.wrong


def test_an_event_is_named_where_a_part_of_the_stock_is_lost(tmp_path: Path) -> None:
    told = market()
    ledger = told.write(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "stock")
    report = audit(ledger)
    assert not report.digest_matches
    assert report.first is not None
    assert (report.first.event, report.first.wrong) == (find(told, "order")["event"], "it moves no pieces")


def test_counts_of_what_is_not_written_are_sealed_too(tmp_path: Path) -> None:
    told = market()
    told.event("exposure", 3 * DAY, user=1)
    ledger = told.write(tmp_path / "run")
    assert audit(ledger).ok
    path = tmp_path / "run" / "daily.parquet"
    table = pq.read_table(path)
    more = pc.if_else(pc.equal(table["kind"].cast(pa.string()), "exposure"), 9, table["count"])
    rewrite(path, "count", more.combine_chunks())
    report = audit(Ledger(tmp_path / "run"))
    assert not report.breaks and report.digest_matches
    assert not report.ok
    assert report.recounted == (3,)
    assert str(report) == "daily: the counts are not those that the run wrote, first on day 3"


def test_a_file_changed_after_the_run_is_noticed(tmp_path: Path) -> None:
    ledger = market().write(tmp_path / "run")
    path = tmp_path / "run" / "events" / "part-00000.parquet"
    table = pq.read_table(path)
    rewrite(path, "user", pc.add(table["user"], 1).combine_chunks())
    report = audit(ledger)
    assert not report.digest_matches
    assert not report.ok
    days = sorted({row["time"] // DAY for row in market().events})
    assert report.changed == tuple(days)
    assert "the rows are not those that the run wrote, the first that differs on day 0" in str(report)
