"""Fingerprints: every shipped scenario still does what the repository says it does, and what it takes to move one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.load import load
from sim.config.shipped import names
from sim.run import run
from sim.study import fingerprint
from tests.fingerprints import move
from tests.study import tiny

FIRST = "- A slice. Results changed: yes, there are some."
SECOND = "- Dearer\n  tea. Results changed: yes, because tea is dearer."
QUIET = "- Words. Results changed: no."
BEFORE = "- Tea. Results changed: yes, because of tea."


def changelog(*newest: str) -> str:
    return "\n".join(["# Changelog", "", "Words.", "", "## 0.2.0", "", *newest, "", "## 0.1.0", "", BEFORE, ""])


# ------------------------------------------------------------------------------------------------ as they are kept


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_shipped_scenarios_do_what_they_did(name: str) -> None:
    _, kept = move.kept(name)
    assert kept, f"{name} has no fingerprint; run `make fingerprints`"
    now = move.now(name)
    moved = fingerprint.moves(fingerprint.read(kept), fingerprint.read(now))
    assert not moved, "\n".join(
        [
            f"{name} does something else than it did:",
            *moved,
            f'If that is meant, end a new entry of CHANGELOG.md in "{move.WORDS} ..." and run `make fingerprints`;',
            "if not, it is a bug.",
        ]
    )
    assert kept == now


def test_nothing_can_move_as_the_repository_stands() -> None:
    """Every fingerprint names the newest entry that says that results changed, so that the next move needs another."""
    entry, carried = move.reason(move.CHANGELOG.read_text("utf-8")), [move.kept(name)[0] for name in names()]
    assert carried == [entry] * len(carried), "run `make fingerprints`: results have changed since"
    assert "has moved fingerprints already" in move.refusal(entry, carried)


def test_there_is_a_fingerprint_of_each_shipped_scenario_and_no_other() -> None:
    assert sorted(file.stem for file in move.HERE.glob("*.txt")) == list(names())


def test_every_entry_of_the_changelog_says_whether_results_changed() -> None:
    for section in move.entries(move.CHANGELOG.read_text("utf-8")):
        for entry in section:
            assert "Results changed: yes" in entry or "Results changed: no" in entry, entry


# ------------------------------------------------------------------------------------------------ moving them


def test_the_reason_is_the_last_entry_of_the_newest_section_that_changes_results() -> None:
    assert move.reason(changelog(FIRST, SECOND, QUIET)) == SECOND[2:].replace("\n  ", " ")
    assert move.reason(changelog(QUIET)) == ""
    assert move.reason("# Changelog\n") == ""


def test_an_entry_moves_fingerprints_once() -> None:
    assert not move.refusal("new", ["old", "older"])
    assert "has moved fingerprints already" in move.refusal("old", ["older", "old"])
    assert "no entry says that results changed" in move.refusal("", [])


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A repository with one scenario, whose orders of day 1 are set by the test."""
    monkeypatch.setattr(move, "HERE", tmp_path)
    monkeypatch.setattr(move, "CHANGELOG", tmp_path / "CHANGELOG.md")
    monkeypatch.setattr(move, "names", lambda: ("tea",))

    def go(orders: str, *newest: str) -> None:
        tables = {"a": {"order": {"0": ".", "1": orders}, "digest": {"0": "00000", "1": f"0000{orders}"}}}
        monkeypatch.setattr(move, "now", lambda name: fingerprint.write(tables))
        move.CHANGELOG.write_text(changelog(*newest), "utf-8")
        move.main()

    return go


def test_moving_asks_for_a_new_entry_and_then_names_it(desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk("3", FIRST)
    assert "tea: new" in capsys.readouterr().out
    desk("3", FIRST, QUIET)
    assert "no fingerprint moved" in capsys.readouterr().out
    before = move.path("tea").read_bytes()
    with pytest.raises(SystemExit, match="tea: a: order on day 1: 3 -> 5(?s:.)*has moved fingerprints already"):
        desk("5", FIRST, QUIET)
    assert move.path("tea").read_bytes() == before
    desk("5", FIRST, SECOND)
    assert "tea: a: order on day 1: 3 -> 5" in capsys.readouterr().out
    assert move.kept("tea")[0].startswith("Dearer tea.")
    with pytest.raises(SystemExit):
        desk("3", FIRST, SECOND)


def test_a_reworded_entry_is_carried_anew(desk) -> None:
    desk("3", FIRST)
    desk("3", FIRST.replace("slice", "piece"))
    assert move.kept("tea")[0].startswith("A piece.")


# ------------------------------------------------------------------------------------------------ ledger -> text


def test_counts_and_digests_are_those_of_the_ledger(tmp_path) -> None:
    (ledger,) = run(load(str(tiny.write(tmp_path))))
    shown = fingerprint.table(ledger)
    assert list(shown)[-1] == "digest"
    assert list(shown["digest"]) == [*map(str, range(tiny.DAYS)), "later"]
    for kind, total in ledger.rows("select kind, sum(count) from daily group by 1"):
        assert sum(int(cell) for cell in shown[kind].values() if cell != ".") == total
    for day, digest in ledger.manifest["digest"]["days"].items():
        if int(day) < tiny.DAYS:
            assert digest.startswith(shown["digest"][day])
    ((orders,),) = ledger.rows("select count(*) from events where kind = 'order' and time // 86400 = 2")
    assert shown["order"]["2"] == str(orders or ".")


KINDS = ("order", "share", "view")
CELL = st.sampled_from([".", "1", "31"])
ROW = st.fixed_dictionaries({"0": CELL, "1": CELL, "later": CELL}).filter(lambda row: set(row.values()) != {"."})
TABLE = st.dictionaries(st.sampled_from(KINDS), ROW).map(lambda rows: rows | {"digest": dict.fromkeys("01", "0f3aa")})
TABLE = TABLE.map(lambda rows: rows | {"digest": {**rows["digest"], "later": "84b02"}})
TABLES = st.dictionaries(st.sampled_from(["store only", "store + mini-program", "全渠道"]), TABLE, min_size=1)


def full(tables):
    """Cells that are not nothing."""
    return {
        (name, kind, day): cell
        for name, rows in tables.items()
        for kind, row in rows.items()
        for day, cell in row.items()
        if cell != "."
    }


@given(TABLES)
def test_what_is_written_is_read_again(tables) -> None:
    assert full(fingerprint.read(fingerprint.write(tables))) == full(tables)


@given(TABLES, TABLES)
def test_moves_name_every_cell_that_differs_and_no_other(before, after) -> None:
    old, new = full(before), full(after)
    differing = [cell for cell in {**old, **new} if old.get(cell) != new.get(cell)]
    assert len(fingerprint.moves(before, after)) == len(differing)


def test_a_move_reads_like_a_sentence() -> None:
    before, after = ({"a": {"order": {"12": cell, "later": cell}}} for cell in ("31", "33"))
    assert fingerprint.moves(before, after) == [
        "a: order on day 12: 31 -> 33",
        "a: order after the horizon: 31 -> 33",
    ]
