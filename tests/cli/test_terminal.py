"""Every command in 80 columns and as JSON with the keys that docs/how-to/terminal.md lists; quiet; its exit codes."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from sim.cli import app
from sim.cli.terminal import WIDTH, interrupt
from sim.words.columns import width
from tests.cli.folders import ALL, write

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "terminal.md").read_text("utf-8")
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
SILENT = {"completion", "new", "report", "schema", "serve"}  # they write or show one thing, and tell nothing more
READ = [
    "reproduce one",
    "audit one",
    "trace one",
    "trace one --user 1",
    "trace one --event EVENT",
    "genealogy one",
    "lint shop.yaml",
    "sweep study.yaml --dry-run",
    "scenarios",
    "mechanisms",
    "metrics",
]
MAKE = [  # in this order: what comes later reads what is there then
    "compare shop.yaml --workers 1 --out both",
    "compare shop.yaml --workers 1 --until decided --budget 6",
    "sweep study.yaml --workers 1 --out swept",
    "status swept",
    "results swept --answer",
    "sensitivity study.yaml --workers 1 --metric orders",
    "verify shop.yaml --users 30 --days 2",
    "verify --swarm 1 --seed 3",
]


def wxsim(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def words(command: str) -> list[str]:
    return [{"ALL": ALL, "EVENT": _event()}.get(word, word) for word in command.split()]


def _event() -> str:
    found = json.loads(wxsim("trace", "one", "--json", "-").stdout)["examples"] if Path("one").exists() else []
    return next((each["option"].split()[1] for each in found if "event" in each["option"]), "")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a scenario, a study and a run."""
    folder = tmp_path_factory.mktemp("place")
    before = Path.cwd()
    os.chdir(folder)
    write(folder)
    try:
        told("run shop.yaml --strategy ALL --out one")
        yield folder
    finally:
        os.chdir(before)


def told(command: str) -> Result:
    """The command with what it says in 80 columns, and the keys that the page lists in its JSON."""
    result = wxsim(*words(command), "--json", "found.json")
    assert result.exit_code == 0, result.output
    wide = [line for line in result.stdout.splitlines() if width(line) > WIDTH]
    assert wide == []
    assert "\x1b" not in result.output
    found = json.loads(Path("found.json").read_text("utf-8"))
    name, keys = documented(command)
    assert found["wxsim"] == name
    assert set(found) == {"wxsim", *keys}
    return result


def documented(command: str) -> tuple[str, set[str]]:
    """What the page says of a command's JSON; of several rows the one that names the command's options."""
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| ([\w, ]+)(?:;.*)? \|$", PAGE, re.M)
    fitting = [row for row in rows if set(row[0].split()) <= set(command.split())]
    _, name, keys = max(fitting, key=lambda row: len(row[0].split()))
    return name, set(keys.split(", "))


@pytest.mark.slow
@pytest.mark.parametrize("command", READ)
def test_text_fits_and_json_has_the_documented_keys(place: Path, command: str) -> None:
    told(command)


@pytest.mark.slow
def test_so_do_those_of_comparisons_studies_and_engines(place: Path) -> None:
    for command in MAKE:
        told(command)


@pytest.mark.parametrize("command", ["lint shop.yaml", "genealogy one"])
def test_quiet_is_silent_and_json_on_the_screen_is_alone(place: Path, command: str) -> None:
    assert wxsim(*words(command), "--quiet").output == ""
    alone = wxsim(*words(command), "--json", "-")
    both = wxsim(*words(command), "--json", "-", "--quiet")
    assert alone.stdout == both.stdout
    assert json.loads(alone.stdout)["wxsim"] == documented(command)[0]


def test_what_takes_json_takes_quiet_and_all_that_tell_results_take_both() -> None:
    for name, command in COMMANDS.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert ({"--json", "--quiet"} <= options) == (name not in SILENT), name


# ------------------------------------------------------------------------------------------------------ help


@pytest.mark.parametrize("columns", [80, 200])
def test_summaries_stand_whole_in_the_help(columns: int) -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": str(columns)})
    assert "..." not in result.output.replace("[ARGS]...", "")
    assert max(width(line) for line in result.output.splitlines()) <= WIDTH
    for code in re.findall(r"^\| (\d+) \|", PAGE, re.M):
        assert code in result.output.partition("Exit codes")[2]


def test_lists_fit_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "52")
    for command in ("mechanisms", "scenarios"):
        assert max(width(line) for line in wxsim(command).output.splitlines()) <= 52


# ------------------------------------------------------------------------------------------------------ exit codes


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["audit nowhere", "lint nowhere.yaml", "trace one --user 60", "run shop.yaml --strategy none"]
)
def test_2_wrong_input_is_told_on_stderr_and_leaves_no_json(place: Path, command: str) -> None:
    result = wxsim(*words(command), "--json", "-")
    assert result.exit_code == 2
    if command.startswith("lint"):  # faults are what it is asked for
        assert json.loads(result.stdout)["ok"] is False
    else:
        assert (result.stdout, len(result.stderr.splitlines())) == ("", 1)


def test_1_a_check_that_fails_writes_its_json(place: Path, tmp_path: Path) -> None:
    assert wxsim("run", "shop.yaml", "--out", str(tmp_path / "run"), "--quiet").exit_code == 0
    manifest = tmp_path / "run" / "run.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"total": "', '"total": "0'), "utf-8")
    for command, key in (("audit", "ok"), ("reproduce", "same")):
        result = wxsim(command, str(tmp_path / "run"), "--json", "-")
        assert result.exit_code == 1
        assert json.loads(result.stdout)[key] is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "broken", "kept"),
    [
        ("run shop.yaml --out new", "sim.run.run", "nothing was kept"),
        ("audit one", "sim.ledger.audit.audit", "nothing was kept"),
        ("reproduce one", "sim.study.reproduce.run", "nothing was kept"),
        ("verify shop.yaml", "sim.study.verify.verify", "runs/verify"),
        ("sweep study.yaml --store fresh --workers 1", "sim.study.sweep.run", "do it again to go on"),
        ("report one", "sim.cli.reporting._text", "one is as it was"),
    ],
)
def test_130_an_interrupt_says_what_is_kept(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: str, broken: str, kept: str
) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    module, _, name = broken.rpartition(".")
    monkeypatch.setattr(import_module(module), name, interrupt)
    result = wxsim(*words(command))
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.startswith("interrupted; ")
    assert kept in result.stderr
    assert not Path("new").exists()


def test_an_interrupt_waits_until_an_import_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "interrupted_while_imported.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n", "utf-8"
    )
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        found = None
        with pytest.raises(KeyboardInterrupt):
            found = import_module("interrupted_while_imported")
            time.sleep(5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found is not None
    assert found.whole


# ------------------------------------------------------------------------------------------------------ on a terminal


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "shown", "coloured"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_progress_is_shown_to_somebody_who_looks_on(
    place: Path, tmp_path: Path, environment: dict[str, str], shown: bool, coloured: bool
) -> None:
    seen = on_a_terminal(["run", "shop.yaml", "--out", str(tmp_path / "run")], environment)
    assert ("building the world" in seen) == shown
    assert ("left" in seen) == shown
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", seen)) == coloured


def on_a_terminal(words: list[str], environment: dict[str, str]) -> str:
    """What stderr shows when it is a terminal."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "80"} | environment
    running = subprocess.Popen(
        [sys.executable, "-m", "sim.cli", *words], stdout=subprocess.PIPE, stderr=theirs, env=env
    )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65_536):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert running.wait(30) == 0
    return seen.decode()
