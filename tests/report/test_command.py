import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sim.cli import app
from sim.errors import StudyError
from sim.report import page
from tests.study.tiny import write

pytestmark = pytest.mark.slow


def wxsim(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_report_is_written_into_the_folder_or_where_one_says(found: Path, tmp_path: Path) -> None:
    shutil.copytree(found, tmp_path / "found")
    result = wxsim("report", tmp_path / "found")
    assert result.exit_code == 0, result.stderr
    assert result.output == f"wrote {tmp_path / 'found' / 'report.html'}\n"
    assert wxsim("report", found, "--out", tmp_path / "page.html").exit_code == 0
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "found" / "report.html").read_bytes()
    assert not (found / "report.html").exists()


def test_figures_are_those_of_the_page(found: Path, tmp_path: Path) -> None:
    result = wxsim("report", found, "--figures", tmp_path / "figures")
    assert result.exit_code == 0, result.stderr
    names = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert {"gmv-by-day", "gmv-ahead", "money", "funnel-orders", "users-by-income", "trees-gifts"} <= names
    assert len([*(tmp_path / "figures").iterdir()]) == 2 * len(names)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "nowhere"], "there is no such folder"),
        (["report", "."], "holds no run"),
        (["report", "FOUND", "--merchant", "tea"], "leave out --merchant"),
        (["report", "FOUND/runs/as-it-is/seed-0", "--merchant", "tee"], "did you mean 'tea'?"),
        (["report", "FOUND", "--out", "no/such/page.html"], "cannot be written there"),
        (["report", "FOUND", "--out", "a.html", "--figures", "b"], "give --figures alone"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = wxsim(*(word.replace("FOUND", str(found)) for word in words))
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert [*tmp_path.iterdir()] == []


def test_compare_and_run_write_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    words = ["compare", "tiny.yaml", "--out", "found", "--workers", 1, "--replications", 1, "--report"]
    for _ in range(2):  # the second takes the place of the first
        result = wxsim(*words)
        assert result.exit_code == 0, result.stderr
        assert "found/report.html" in result.output
        assert (tmp_path / "found" / "report.html").stat().st_size > 1_000_000
    assert wxsim(*words[:-1]).exit_code == 0
    assert not (tmp_path / "found" / "report.html").exists()  # it would be of another comparison
    result = wxsim("run", "tiny.yaml", "--out", "one", "--report")
    assert "one/report.html" in result.output
    assert json.loads((tmp_path / "one" / "run.json").read_text("utf-8"))["seed"] == 3
    assert wxsim("audit", "one").exit_code == 0


def test_what_is_missing_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise StudyError("a report needs the package jinja2")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(page, "needed", missing)
    write(tmp_path)
    for command in ("run", "compare"):
        result = wxsim(command, "tiny.yaml", "--report")
        assert result.exit_code == 2
        assert result.stderr == "wxsim: a report needs the package jinja2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_report_says_what_is_missing_before_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise StudyError(f"a report needs the package {module}")

    monkeypatch.setattr(page, "needed", missing)
    result = wxsim("report", tmp_path)
    assert (result.exit_code, result.stderr) == (2, "wxsim: a report needs the package jinja2\n")


def test_diffusion_is_of_a_run(found: Path, tmp_path: Path) -> None:
    shutil.copytree(found / "runs" / "as-it-is" / "seed-0", tmp_path / "run")
    result = wxsim("report", tmp_path / "run", "--diffusion")
    assert result.output == f"wrote {tmp_path / 'run' / 'diffusion.html'}\n"
    result = wxsim("report", found, "--diffusion")
    assert result.exit_code == 2
    assert "is a comparison; name one of its runs" in result.stderr
