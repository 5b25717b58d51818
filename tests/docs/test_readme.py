"""The README fits two screens, and what it names is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from sim.cli import app
from sim.config.load import load
from sim.metrics.catalog import METRICS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
NAMED = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", TEXT, flags=re.M | re.S))


def test_two_screens() -> None:
    assert len(TEXT.splitlines()) <= 100


def test_the_table_is_the_beginning_of_what_demo_prints() -> None:
    (shown,) = re.findall(r"^```\n(Does the triangle.*?)^…\n```", TEXT, re.M | re.S)
    page = (ROOT / "docs" / "scenarios" / "triangle.md").read_text("utf-8")
    assert f"```\n{shown}" in page


@pytest.mark.parametrize("path", sorted({name for name in NAMED if re.fullmatch(r"[\w.-]+/[\w./-]*", name)}))
def test_every_path_is_there(path: str) -> None:
    assert path.startswith("runs/") or (ROOT / path).exists()


def test_every_command_and_option_is_there() -> None:
    named = [name.split("wxsim ", 1)[1].split() for name in NAMED if re.match(r"(\S+/)?wxsim [a-z]", name)]
    assert len(named) > 8
    for command, *words in named:
        known = {option for parameter in COMMANDS[command].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, command


def test_the_question_of_ones_own_has_no_faults(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.M | re.S)
    (tmp_path / "mine.yaml").write_text(code, "utf-8")
    made = load(tmp_path / "mine.yaml", metrics=tuple(METRICS))
    assert [*made.strategies] == [*yaml.safe_load(code)["strategies"]]
