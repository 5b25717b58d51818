import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sim.cli import app
from sim.config.draft import SCHEMA
from sim.config.load import load

TEA = ("--sell", "tea", "--price", 168, "--cost", 62, "--strategy", "cheaper", "--days", 3, "--people", 100)


def wxsim(*words: object, said: str = "") -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=said)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_what_it_writes_lints_and_compares() -> None:
    assert wxsim("new", *TEA, "--replications", 2, "--yes").exit_code == 0
    assert wxsim("lint", "tea.yaml").output == "no faults\n"
    result = wxsim("compare", "tea.yaml", "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "my_shop: 2 seeds" in result.output and "ten percent off" in result.output


def test_questions_and_options_write_the_same() -> None:
    said = "\n".join(["tea", "168", "62", "store, live", "coupon,cheaper", "30", ""])
    asked = wxsim("new", "asked.yaml", said=said)
    assert asked.exit_code == 0, asked.output
    given = ("--sell", "tea", "--price", 168, "--cost", 62, "--channel", "store", "--channel", "live", "--days", 30)
    assert wxsim("new", "given.yaml", *given, "--strategy", "coupon", "--strategy", "cheaper").exit_code == 0
    one, other = (Path(f"{name}.yaml").read_text("utf-8") for name in ("asked", "given"))
    assert one.replace("asked.yaml", "given.yaml") == other
    assert [*load("given.yaml").strategies] == ["as it is", "coupons", "ten percent off"]


def test_a_file_that_is_there_stays() -> None:
    Path("tea.yaml").write_text("mine", "utf-8")
    for words in (("tea.yaml", "--yes"), ("--sell", "tea", "--yes")):
        result = wxsim("new", *words)
        assert (result.exit_code, Path("tea.yaml").read_text("utf-8")) == (2, "mine")
        assert "is there already" in result.stderr
    assert not Path(SCHEMA).exists()


def test_whoever_stops_answering_has_written_nothing(here: Path) -> None:
    assert wxsim("new", said="tea\n").exit_code != 0
    assert [*here.iterdir()] == []


def test_the_file_names_the_schema_beside_it() -> None:
    assert wxsim("new", *TEA, "--yes").exit_code == 0
    first = Path("tea.yaml").read_text("utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA}"
    assert json.loads(Path(SCHEMA).read_text("utf-8")) == json.loads(wxsim("schema").output)
    assert wxsim("schema", "--out", "other.json").exit_code == 0
    assert Path("other.json").read_bytes() == Path(SCHEMA).read_bytes()
