"""What is handed to the writer is what stands in the files, whatever the order, the cuts or the worlds beside it."""

import json
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.errors import ContractError, LedgerError
from sim.ledger import stream, writer
from sim.ledger.reader import Ledger
from sim.ledger.schema import Postings, Records
from sim.units import DAY, HOUR
from tests.ledger.story import Story, market


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def as_told(told: Story) -> list[tuple[object, ...]]:
    default = {"cause": 0, "user": -1, "peer": -1, "merchant": -1, "product": -1, "variant": -1, "channel": None,
               "quantity": 0, "amount": 0, "detail": 0}  # fmt: skip
    rows = [{**default, **row, "tick": row["time"] // HOUR} for row in told.events]
    rows.sort(key=lambda row: (row["tick"], row["time"], row["event"]))
    order = ["time", "tick", "kind", "event", *default]
    return [tuple(row[name] for name in order) for row in rows]


def test_events_are_read_as_they_were_told(tmp_path: Path) -> None:
    told = market()
    got = told.write(tmp_path / "run").events
    assert got.column_names[:5] == ["time", "tick", "kind", "event", "cause"]
    assert [tuple(row.values()) for row in got.to_pylist()] == as_told(told)


def test_moves_are_read_as_they_were_told(tmp_path: Path) -> None:
    told = market()
    ledger = told.write(tmp_path / "run")
    got = ledger.postings.to_pylist() + ledger.stock.to_pylist()
    assert sorted(map(repr, map(sorted, (row.items() for row in got)))) == sorted(
        map(repr, map(sorted, (row.items() for row in told.moves)))
    )
    assert set(ledger.stock["currency"].to_pylist()) == {"stock"}
    assert set(ledger.postings["currency"].to_pylist()) == {"fen", "coupon"}
    assert [row["time"] for row in got] == sorted(row["time"] for row in ledger.postings.to_pylist()) + sorted(
        row["time"] for row in ledger.stock.to_pylist()
    )


def test_worlds_side_by_side_write_what_each_writes_alone(tmp_path: Path) -> None:
    stories = [market(), Story(), market()]
    stories[2].order(30 * DAY, user=19, amount=9_900, merchant=1, variant=3, product=2, channel="moments")
    for world, told in enumerate(stories):
        lone = told.writer(tmp_path / "lone" / str(world))
        told.tell(lone)
        told.close(lone, [world])
    beside = market().writer(*(tmp_path / "beside" / str(world) for world in range(3)))
    rows = [(row, world) for world, told in enumerate(stories) for row in told.events + told.moves]
    for row, world in sorted(rows, key=lambda pair: pair[0]["time"] // HOUR):
        stories[world].hand(beside, row, world)
    digests = market().close(beside, [0, 1, 2])
    assert contents(tmp_path / "beside") == contents(tmp_path / "lone")
    assert len(set(digests)) == 3


@pytest.mark.parametrize("seed", range(3))
def test_the_order_within_a_tick_does_not_matter(seed: int, tmp_path: Path) -> None:
    told = market()
    told.write(tmp_path / "straight")
    mixed = market()
    random.Random(seed).shuffle(mixed.events)
    random.Random(seed).shuffle(mixed.moves)
    mixed.write(tmp_path / "mixed")
    assert contents(tmp_path / "mixed") == contents(tmp_path / "straight")


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market().write(tmp_path / "one")
    monkeypatch.setattr(writer, "BLOCK_ROWS", 3)
    market().write(tmp_path / "many")
    assert contents(tmp_path / "many") == contents(tmp_path / "one")


def test_parts_have_the_size_asked_for_and_the_same_rows(tmp_path: Path) -> None:
    whole, cut = market().write(tmp_path / "whole"), market().write(tmp_path / "cut", part_rows=10)
    sizes = [pq.read_metadata(path).num_rows for path in sorted((cut.folder / "events").glob("part-*.parquet"))]
    assert sizes[:-1] == [10] * (len(sizes) - 1)
    assert len(sizes) > 2
    assert sum(sizes) == cut.manifest["counts"]["events"] == len(market().events)
    assert cut.events.to_pylist() == whole.events.to_pylist()
    assert cut.manifest == whole.manifest


def with_details() -> Story:
    told = market()
    told.event("exposure", 100, user=3, channel="moments")
    told.event("exposure", DAY, user=3, channel="moments", quantity=2)
    return told


def test_details_are_counted_always_and_written_on_request(tmp_path: Path) -> None:
    plain, full = with_details().write(tmp_path / "plain"), with_details().write(tmp_path / "full", everything=True)
    assert "exposure" not in plain.events["kind"].to_pylist()
    assert full.events["kind"].to_pylist().count("exposure") == 2
    assert plain.manifest["digest"] == full.manifest["digest"]
    assert plain.daily.to_pylist() == full.daily.to_pylist()
    shown = [row for row in plain.daily.to_pylist() if row["kind"] == "exposure"]
    assert [(row["day"], row["channel"], row["count"], row["quantity"]) for row in shown] == [
        (0, "moments", 1, 0),
        (1, "moments", 1, 2),
    ]


@pytest.mark.parametrize("options", [{}, {"everything": True}, {"part_rows": 7}])
def test_the_digest_can_be_computed_again_from_the_files(options: dict[str, int], tmp_path: Path) -> None:
    ledger = with_details().write(tmp_path / "run", **options)
    digest = ledger.digest()
    assert digest.total() == ledger.manifest["digest"]["total"]
    assert {str(day): value for day, value in digest.days().items()} == ledger.manifest["digest"]["days"]


def test_another_ledger_has_another_digest(tmp_path: Path) -> None:
    other = market()
    other.moves[-1]["amount"] += 1
    digests = {told.write(tmp_path / name).digest().total() for name, told in (("a", market()), ("b", other))}
    assert len(digests) == 2


def test_a_killed_run_leaves_whole_parts_and_no_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BLOCK_ROWS", 8)
    told = market()
    killed = told.writer(tmp_path / "run", part_rows=8)
    told.tell(killed)
    parts = sorted((tmp_path / "run" / "events").iterdir())
    assert [part.name for part in parts] == [f"part-{i:05d}.parquet" for i in range(len(parts))]
    assert [pq.read_table(part).num_rows for part in parts] == [8] * len(parts)
    assert parts
    with pytest.raises(LedgerError, match="interrupted"):
        Ledger(tmp_path / "run")


def test_a_part_gets_its_name_only_when_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_power(*_: object) -> None:
        raise OSError("power lost")

    monkeypatch.setattr("sim.ledger.parquet.sync", lose_power)
    with pytest.raises(OSError, match="power lost"):
        market().write(tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.parquet"))


def test_a_run_after_a_killed_one_starts_clean(tmp_path: Path) -> None:
    killed = market()
    half = killed.writer(tmp_path / "run", part_rows=5)
    killed.tell(half)
    half._write_block()
    assert list((tmp_path / "run" / "events").iterdir())
    Story().write(tmp_path / "run")
    Story().write(tmp_path / "fresh")
    assert contents(tmp_path / "run") == contents(tmp_path / "fresh")


def test_a_finished_run_is_never_overwritten(tmp_path: Path) -> None:
    market().write(tmp_path / "run")
    with pytest.raises(LedgerError, match="holds a finished run"):
        market().writer(tmp_path / "run")


def test_the_manifest_says_what_was_run_and_nothing_of_where_or_when(tmp_path: Path) -> None:
    ledger = market().write(tmp_path / "run")
    text = (tmp_path / "run" / "run.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    manifest = json.loads(text)
    assert manifest == ledger.manifest
    assert (manifest["ledger"], manifest["strategy"], manifest["seed"], manifest["days"]) == (1, "base", 7, 60)
    assert (manifest["users"], manifest["variants"]) == (20, 4)
    assert manifest["merchants"] == ["tea_house", "bakery"]
    assert manifest["scenario"] == {"title": "told by hand"}
    assert manifest["counts"] == {
        "events": len(market().events),
        "postings": sum(move["currency"] != "stock" for move in market().moves),
        "stock": sum(move["currency"] == "stock" for move in market().moves),
    }
    assert set(manifest["versions"]) == {"wxsim", "numpy", "pyarrow", "python"}


def test_a_kind_that_nobody_declares_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no mechanism declares the kind 'ordre'; did you mean 'order'"):
        market().writer(tmp_path).events("ordre", Records(1, user=0), 0)


def test_a_row_of_no_world_is_refused(tmp_path: Path) -> None:
    lost = market().writer(tmp_path)
    lost.events("visit", Records(1), 0)
    with pytest.raises(ContractError, match="neither user nor merchant"):
        market().close(lost, [1])


def test_an_account_without_owner_takes_none(tmp_path: Path) -> None:
    wrong = market().writer(tmp_path)
    moved = Postings.move(Records(1, user=0, amount=5), "wallet", 0, "platform", 1, 5)
    wrong.postings("fen", moved, 0)
    with pytest.raises(ContractError, match="'platform' has no owner"):
        market().close(wrong, [1])


def test_a_move_between_two_without_owner_is_in_the_world_of_its_item(tmp_path: Path) -> None:
    told = Story()
    scrapped = told.event("returned", DAY, variant=2)
    told.move(scrapped, "stock", "customer", "scrap", 3, 2)
    beside = told.writer(tmp_path / "0", tmp_path / "1")
    told.tell(beside, world=1)
    told.close(beside, [0, 1])
    assert Ledger(tmp_path / "0").stock.num_rows == 0
    (row,) = Ledger(tmp_path / "1").stock.to_pylist()
    assert (row["item"], row["amount"], row["source_owner"]) == (2, 3, -1)


def test_a_move_of_no_world_is_refused(tmp_path: Path) -> None:
    lost = market().writer(tmp_path)
    lost.postings("fen", Postings.move(Records(1, user=0), "supplier", -1, "courier", -1, 5), 0)
    with pytest.raises(ContractError, match="without owners belongs to no world"):
        market().close(lost, [1])


def test_nothing_is_written_for_no_rows(tmp_path: Path) -> None:
    ledger = Story().write(tmp_path / "run")
    assert sorted(contents(tmp_path / "run")) == ["daily.parquet", "run.json"]
    assert ledger.events.num_rows == ledger.postings.num_rows == ledger.stock.num_rows == ledger.daily.num_rows == 0


@pytest.mark.parametrize("spread", [1, 50, 10**6])
def test_the_canonical_order_is_that_of_a_plain_sort(spread: int) -> None:
    rng = np.random.default_rng(spread)
    world, tick, time = rng.integers(0, 3, 500), rng.integers(5, 9, 500), rng.integers(-spread, spread, 500)
    event, hashes = rng.integers(1, 40, 500).astype(np.uint64), rng.permutation(500).astype(np.uint64)
    keys = list(zip(*(k.tolist() for k in (world, tick, time, event, hashes)), strict=True))
    want = sorted(range(500), key=lambda i: keys[i])
    assert stream.canonical_order(world, tick, time, event, hashes).tolist() == want
