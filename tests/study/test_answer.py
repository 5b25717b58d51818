"""An answer says what the numbers say."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.study import answer
from tests.study import made

GRID = [{"hours": hours, "chance": chance} for hours in (6, 24, 72) for chance in (0.2, 0.8)]


def gain(point: Any, strategy: str, seed: int) -> float:
    """Gifts bring hours · (chance - 0.5), give or take what the seed gives; the world's own luck cancels."""
    luck = (-1, 1, -2, 2)[seed]
    return 1_000.0 * seed + (strategy == "gifts") * (point["hours"] * (point["chance"] - 0.5) + luck)


def test_sentences_and_rows(tmp_path: Path) -> None:
    said = answer.text(made.study(tmp_path / "s", GRID, gain))
    assert "Of 6 points: better at 2, cannot tell at 2, worse at 2." in said
    assert "Most at hours = 72, chance = 0.8: +21.6 (+18.69 .. +24.51)." in " ".join(said.split())
    assert "Least at hours = 72, chance = 0.2: -21.6" in " ".join(said.split())
    assert "From chance = 0.2 to 0.8 it changes by +20.4" in said
    assert "From hours = 6 to 72 it changes by" in said and "cannot be told from luck" not in said.split("chance =")[0]
    rows = [line for line in said.splitlines() if line.startswith("  24, 0.8")]
    assert len(rows) == 1 and rows[0].split()[-1] == "better" and "+7.2" in rows[0]
    assert max(map(len, said.splitlines())) <= 80


def test_nothing_to_measure_is_said(tmp_path: Path) -> None:
    assert "nothing to measure at any point" in answer.text(made.study(tmp_path, GRID, lambda *_: None))


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    found = made.study(tmp_path / "s", GRID, gain)

    def wxsim(*arguments: object) -> Any:
        return CliRunner().invoke(app, ["results", str(found.folder), *map(str, arguments)])

    assert wxsim("--answer").output == answer.text(found)
    said = wxsim("--figure", tmp_path / "a.svg", "--levels")
    assert said.exit_code == 0 and (tmp_path / "a.svg").stat().st_size > 0
    wrong = wxsim("--figure", tmp_path / "a.gif")
    assert wrong.exit_code == 2 and ".png or .svg" in wrong.output
    assert len(wxsim().output.splitlines()) == 1 + 6 * 2 * 4
    assert wxsim("--out", tmp_path / "a.csv").exit_code == 0 and (tmp_path / "a.csv").stat().st_size > 0
