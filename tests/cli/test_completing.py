"""What a shell is offered when Tab is pressed, through the variables in which each shell asks."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sim import catalog
from sim.cli import COMPLETE, app, completing, completion
from sim.config import shipped
from sim.config.load import load
from sim.metrics.catalog import METRICS
from tests.cli.folders import ALL, BASE, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a scenario, a study, two runs and a comparison."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    for manifest in ("runs/one/run.json", "runs/deep/two/run.json", "runs/both/comparison.json", "swept/study.json"):
        (tmp_path / manifest).parent.mkdir(parents=True)
        (tmp_path / manifest).write_text("{}", "utf-8")
    return tmp_path


def offered(line: str, shell: str = "bash") -> list[str]:
    """What a shell is given for what stands before the cursor."""
    completion.begin()
    words = line.split(" ")
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    result = CliRunner().invoke(app, [], prog_name="wxsim", env={COMPLETE: f"complete_{shell}", **asked[shell]})
    assert result.exit_code == 0, result.output
    return result.output.split("\n")[:-1] if result.output.strip() else []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_offered_shipped_scenarios(here: Path, shell: str) -> None:
    assert "triangle" in "\n".join(offered("wxsim compare tri", shell))
    assert "spring" not in "\n".join(offered("wxsim compare tri", shell))


def test_scenarios_are_files_too(here: Path) -> None:
    found = offered("wxsim run ")
    assert {*shipped.names(), "shop.yaml", "study.yaml", "runs/"} <= set(found)
    assert offered("wxsim lint sho") == ["shop.yaml"]
    assert offered(f"wxsim lint {here}/sho") == [f"{here}/shop.yaml"]


def test_strategies_are_those_of_the_scenario_that_was_named(here: Path) -> None:
    found = offered("wxsim run shop.yaml --strategy ")
    assert found == [*load("shop.yaml").strategies]
    assert {BASE, ALL} <= set(found)
    (here / "more.yaml").write_text("extends: shop.yaml\nstrategies: {one more: {}}\n", "utf-8")
    assert offered("wxsim verify more.yaml --strategy ") == [*load("more.yaml").strategies]
    assert offered("wxsim run triangle --strategy store") == [
        name for name in load("triangle").strategies if name.startswith("store")
    ]


@pytest.mark.parametrize("text", ["extends: own.yaml", "a: [", "- a list", "extends: 7", "strategies: 7", ""])
def test_nothing_is_offered_of_a_scenario_with_faults(here: Path, text: str) -> None:
    (here / "own.yaml").write_text(text, "utf-8")
    assert offered("wxsim run own.yaml --strategy ") == []
    assert offered("wxsim run nowhere.yaml --strategy ") == []


def test_folders_are_found_by_what_lies_in_them(here: Path) -> None:
    assert offered("wxsim audit ") == ["runs/deep/two", "runs/one"]
    assert offered("wxsim trace runs/o") == ["runs/one"]
    assert offered("wxsim status ") == ["swept"]
    assert offered("wxsim report ") == ["runs/both", "runs/deep/two", "runs/one", "swept"]
    assert offered("wxsim sweep st") == ["study.yaml"]


def test_metrics_and_mechanisms_are_those_of_the_catalogue() -> None:
    """If this fails: `make docs`."""
    assert list(completing.metrics()) == list(METRICS)
    assert list(completing.mechanisms()) == list(catalog.mechanisms())
    assert offered("wxsim metrics net_g") == ["net_gmv"]
    assert offered("wxsim mechanisms offers.cou") == ["offers.coupon"]


def test_options_and_commands_are_offered() -> None:
    assert offered("wxsim comp") == ["compare", "completion"]
    assert "--replications" in offered("wxsim compare triangle --rep")


def test_what_is_offered_imports_nothing_of_the_model() -> None:
    code = (
        "import os, sys\n"
        f"os.environ |= {{'{COMPLETE}': 'complete_bash', 'COMP_WORDS': 'wxsim run triangle --strategy ', "
        "'COMP_CWORD': '4'}\n"
        "sys.argv = ['wxsim']\n"
        "from sim.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print({'numpy', 'duckdb', 'pyarrow', 'rich', 'sim.catalog', 'sim.config.load'} & {*sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [*load("triangle").strategies, "set()"]


@pytest.mark.parametrize("shell", completing.SHELLS)
def test_a_script_for_each_shell(shell: str) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert f"{COMPLETE}=complete_{shell}" in result.stdout


def test_other_shells_are_told_of(here: Path) -> None:
    result = CliRunner().invoke(app, ["completion", "tcsh"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "bash, zsh, fish" in result.stderr


@pytest.mark.slow
def test_bash_takes_the_script(tmp_path: Path) -> None:
    command = tmp_path / "wxsim"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m sim.cli "$@"\n', "utf-8")
    command.chmod(0o755)
    script = f"""
        PATH={tmp_path}:$PATH
        eval "$(wxsim completion bash)"
        complete -p wxsim
        COMP_WORDS=(wxsim run triangle --strategy st) COMP_CWORD=4
        _wxsim_completion wxsim
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    first, *names = done.stdout.splitlines()
    assert "-o filenames" in first
    assert names == [name for name in load("triangle").strategies if name.startswith("st")]
