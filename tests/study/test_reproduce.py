"""Reproduce: the same run again is the same; a changed file, manifest or model is told, with the first day."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.config.load import load
from sim.contract import Effects, View
from sim.errors import LedgerError
from sim.people.buy import Buy
from sim.run import run
from sim.study.reproduce import Reproduction, reproduce
from sim.units import DAY
from tests.study.tiny import DAYS, write


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The folder of a run."""
    run(load(write(tmp_path)), (3,), (tmp_path / "run",))[0].close()
    return tmp_path / "run"


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(manifest)
    (folder / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


def change_rows(path: Path, column: str, where: Callable[[pa.Table], pa.Array]) -> None:
    """Add one to a column of some rows of a file."""
    table = pq.read_table(path)
    at = table.column_names.index(column)
    changed = pc.if_else(where(table), pc.add(table[column], 1), table[column])
    pq.write_table(table.set_column(at, table.schema.field(at), changed.cast(table.schema.field(at).type)), path)


def told(folder: Path) -> str:
    """What the command says of a run that is not the same again."""
    result = CliRunner().invoke(app, ["reproduce", str(folder)])
    assert result.exit_code == 1
    return result.output


def test_the_same_run_again(made: Path) -> None:
    again = reproduce(made)
    assert again.same
    assert (again.first_day, again.changed) == (None, None)
    assert str(again) == f"the same run again: digest {again.got}"


@pytest.mark.slow
def test_a_row_changed_in_a_file_is_told_by_its_day(made: Path) -> None:
    time = pq.read_table(made / "events" / "part-00000.parquet")["time"]
    day = DAYS - 2
    assert pc.any(pc.equal(pc.divide(time, DAY), day)).as_py()
    change_rows(made / "events" / "part-00000.parquet", "amount", lambda t: pc.equal(pc.divide(t["time"], DAY), day))
    again = reproduce(made)
    assert not again.same
    assert (again.changed, again.first_day) == (day, None)
    assert f"its files are not those that the run wrote, from day {day} on" in told(made)


@pytest.mark.slow
def test_a_count_changed_in_the_daily_file_is_told_by_its_day(made: Path) -> None:
    change_rows(made / "daily.parquet", "count", lambda table: pc.equal(table["day"], 1))
    again = reproduce(made)
    assert (again.same, again.changed, again.first_day) == (False, 1, None)


@pytest.mark.slow
def test_a_lost_part_is_told(made: Path) -> None:
    (made / "stock" / "part-00000.parquet").unlink()
    assert reproduce(made).changed == 0


@pytest.mark.slow
def test_another_seed_is_another_run(made: Path) -> None:
    edit(made, lambda manifest: manifest.update(seed=4))
    again = reproduce(made)
    assert (again.same, again.changed, again.first_day) == (False, None, 0)
    assert "run again, it differs from day 0 on" in told(made)


@pytest.mark.slow
def test_a_changed_scenario_is_told_by_the_day_from_which_it_matters(made: Path) -> None:
    def longer(manifest: dict[str, Any]) -> None:
        manifest["scenario"]["horizon"]["days"] = DAYS + 1

    edit(made, longer)
    again = reproduce(made)
    assert not again.same
    assert again.first_day == DAYS
    assert {kind for kind, then, _ in again.counts if then == 0} >= {"visit"}  # nobody came on that day then


@pytest.mark.slow
def test_a_model_that_behaves_otherwise_is_told_by_its_day(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Buy.checkout

    def closed_on_the_third_day(self: Buy, view: View) -> Effects:
        return Effects() if view.clock.day == 2 else honest(self, view)

    monkeypatch.setattr(Buy, "checkout", closed_on_the_third_day)
    again = reproduce(made)
    assert not again.same
    assert again.first_day == 2
    assert again.changed is None
    assert [(kind, now) for kind, _, now in again.counts if kind == "order"] == [("order", 0)]
    assert "  that day order: " in str(again)


@pytest.mark.slow
def test_a_model_that_only_notices_otherwise_is_told(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not written row by row has no part in the digest, but in the daily counts."""
    honest = Buy.choose

    def unseen(self: Buy, view: View) -> Effects:
        fx = honest(self, view)
        if view.clock.day == 1:
            fx.events = [(kind, rows) for kind, rows in fx.events if kind != "exposure"]
        return fx

    monkeypatch.setattr(Buy, "choose", unseen)
    again = reproduce(made)
    assert again.wanted == again.got
    assert (again.same, again.first_day) == (False, 1)
    assert [kind for kind, *_ in again.counts] == ["exposure"]
    assert "from day 1 on: the daily counts, not the rows" in str(again)


@pytest.mark.slow
def test_a_manifest_whose_digest_is_not_that_of_its_days_is_told(made: Path) -> None:
    edit(made, lambda manifest: manifest["digest"].update(total="0" * 32))
    assert not reproduce(made).same
    assert "its manifest is not that of the run" in told(made)


@pytest.mark.slow
def test_other_versions_are_named(made: Path) -> None:
    def older(manifest: dict[str, Any]) -> None:
        manifest["versions"]["numpy"] = "1.0"
        manifest["seed"] = 4

    edit(made, older)
    assert "  numpy was 1.0, is " in told(made)


def test_a_scenario_that_cannot_be_run_is_told_in_a_line(made: Path) -> None:
    def spoilt(manifest: dict[str, Any]) -> None:
        manifest["scenario"]["horizon"]["days"] = "many"

    edit(made, spoilt)
    with pytest.raises(LedgerError, match="its scenario cannot be run: horizon.days"):
        reproduce(made)


def test_a_reproduction_says_no_more_than_it_knows() -> None:
    assert Reproduction("a", "a").same
    assert not Reproduction("a", "a", changed=0).same
    many = tuple((f"kind {n}", n, n + 1) for n in range(20))
    assert len(str(Reproduction("a", "b", 3, counts=many)).splitlines()) == 6
