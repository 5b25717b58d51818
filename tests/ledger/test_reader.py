"""Reading a ledger: tables, questions in SQL, and errors that say what to do."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.errors import LedgerError
from sim.ledger import reader
from sim.ledger.reader import Ledger
from tests.ledger.story import Story, market


def test_a_question_is_answered_from_all_four_tables(tmp_path: Path) -> None:
    told = market()
    ledger = told.write(tmp_path / "run", part_rows=9)
    for table, want in (
        ("events", len(told.events)),
        ("postings", sum(m["currency"] != "stock" for m in told.moves)),
        ("stock", sum(m["currency"] == "stock" for m in told.moves)),
        ("daily", ledger.daily.num_rows),
    ):
        assert ledger.rows(f"SELECT count(*) FROM {table}") == [(want,)]


@pytest.mark.parametrize("held", [0, reader.IN_MEMORY_ROWS])
def test_a_table_in_memory_and_one_on_disk_answer_alike(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "IN_MEMORY_ROWS", held)
    ledger = market().write(tmp_path / "it's a run")
    got = ledger.query("SELECT kind, channel, user, amount FROM events WHERE user = $who ORDER BY time, event", who=5)
    assert isinstance(got, pa.Table)
    hers = sorted((row for row in market().events if row.get("user") == 5), key=lambda row: (row["time"], row["event"]))
    want = [(row["kind"], row.get("amount", 0)) for row in hers]
    assert [(row["kind"], row["amount"]) for row in got.to_pylist()] == want


def test_an_empty_ledger_answers(tmp_path: Path) -> None:
    ledger = Story().write(tmp_path / "run")
    assert ledger.rows("SELECT count(*), sum(amount) FROM stock") == [(0, None)]
    assert ledger.query("SELECT event, channel FROM events").num_rows == 0


def test_a_question_cannot_reach_other_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    ledger = market().write(tmp_path / "run")
    for sql in (f"FROM read_csv('{secret}')", f"COPY events TO '{tmp_path / 'copy.csv'}'", "SET threads = 8"):
        with pytest.raises(LedgerError, match="cannot answer the question"):
            ledger.query(sql)
    assert not (tmp_path / "copy.csv").exists()


def test_a_wrong_question_is_explained(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="amuont"):
        market().write(tmp_path / "run").rows("SELECT amuont FROM events")


def test_it_can_be_closed_and_asked_again(tmp_path: Path) -> None:
    ledger = market().write(tmp_path / "run")
    before = ledger.rows("SELECT count(*) FROM events")
    ledger.close()
    ledger.close()
    assert ledger.rows("SELECT count(*) FROM events") == before


def test_a_merchant_is_found_by_name(tmp_path: Path) -> None:
    ledger = market().write(tmp_path / "run")
    assert ledger.merchant("bakery") == 1
    with pytest.raises(LedgerError, match="did you mean 'tea_house'"):
        ledger.merchant("teahouse")


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        (None, "interrupted; run it again"),
        ("{", "not readable as JSON"),
        ("[]", "ledger version None"),
        (json.dumps({"ledger": 99}), "ledger version 99, this wxsim reads 1"),
        (json.dumps({"ledger": 1, "seed": 1}), "does not say digest, everything, kinds"),
    ],
)
def test_what_cannot_be_read_is_explained(manifest: str | None, says: str, tmp_path: Path) -> None:
    if manifest is not None:
        (tmp_path / "run.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(LedgerError, match=says):
        Ledger(tmp_path)


def test_a_folder_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no such folder"):
        Ledger(tmp_path / "nowhere")


def test_a_file_and_a_comparison_are_told_from_a_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="is a file"):
        Ledger(tmp_path / "file")
    market().write(tmp_path / "runs" / "store-only" / "seed-0")
    with pytest.raises(LedgerError, match="name one of its runs, such as .*runs/store-only/seed-0"):
        Ledger(tmp_path)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lose_a_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["peer"]), path)


@pytest.mark.parametrize(("spoil", "says"), [(cut_short, "is damaged"), (lose_a_column, "the columns of events")])
def test_a_damaged_part_is_named(spoil: Callable[[Path], None], says: str, tmp_path: Path) -> None:
    ledger = market().write(tmp_path / "run")
    spoil(tmp_path / "run" / "events" / "part-00000.parquet")
    for ask in (lambda: ledger.events, ledger.digest, lambda: ledger.rows("SELECT count(*) FROM events")):
        with pytest.raises(LedgerError, match=f"part-00000.parquet: .*{says}"):
            ask()


def test_an_interrupt_during_a_question_stays_one(tmp_path: Path) -> None:
    ledger = market().write(tmp_path / "run")
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for ask in (ledger.query, ledger.rows):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                ask("SELECT max(one.range * other.range) FROM range(10_000_000) AS one, range(10_000_000) AS other")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
