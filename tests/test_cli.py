import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from typer.testing import CliRunner, Result

from sim import catalog
from sim.cli import app
from sim.config.model import Scenario
from sim.metrics.catalog import METRICS
from sim.metrics.genealogy import KINDS
from sim.units import DAY
from tests.ledger.story import Story
from tests.study.tiny import REPLICATIONS, STRATEGIES, write

ROOT = Path(__file__).parents[1]
WXSIM = [sys.executable, "-m", "sim.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def wxsim(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the scenario in it."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------------------------------------------------ in words


def test_version() -> None:
    result = wxsim("--version")
    assert result.exit_code == 0
    assert result.output.startswith("wxsim ")


def test_a_mistyped_command_is_guessed() -> None:
    result = wxsim("comprae", "triangle")
    assert result.exit_code == 2
    assert "Did you mean 'compare'?" in result.stderr


def test_lint_finds_nothing_or_everything(here: Path) -> None:
    assert wxsim("lint", "tiny.yaml").output == "no faults\n"
    write(here, "price: 90, cost: 30", "prize: 90, cost: -30")
    result = wxsim("lint", "tiny.yaml")
    assert result.exit_code == 2
    assert "did you mean" in result.output
    faults = result.output.splitlines()
    assert len(faults) >= 2
    assert all(fault.startswith("tiny.yaml:10:") for fault in faults)


def test_what_does_nothing_is_a_warning_and_no_fault(here: Path) -> None:
    write(here, "channels: {store: {}", "channels: {store: {}, cart: {}")
    result = wxsim("lint", "tiny.yaml")
    assert result.exit_code == 0
    told, end = result.output.splitlines()
    assert told.startswith("warning: tiny.yaml:")
    assert "mini_program" in told
    assert end == "no faults, 1 warning"
    assert wxsim("run", "tiny.yaml").stderr.splitlines()[0] == told


@pytest.mark.parametrize("command", ["run", "compare"])
def test_every_fault_of_a_scenario_is_told_and_nothing_is_written(here: Path, command: str) -> None:
    write(here, "price: 90, cost: 30", "prize: 90, cost: -30")
    result = wxsim(command, "tiny.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == wxsim("lint", "tiny.yaml").stdout
    assert files(here) == ["tiny.yaml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "tiny.yaml", "--strategy", "cheeper"], "cheaper"),
        (["run", "tiny.yaml", "--seed", "-1"], "--seed"),
        (["run", "tiny.yaml", "--record", "some"], "--record"),
        (["run", "no_such_scenario.yaml"], "no_such_scenario"),
        (["compare", "tiny.yaml", "--workers", "0"], "--workers"),
        (["compare", "tiny.yaml", "--json", "no/such/folder/a.json"], "--json"),
        (["compare", "tiny.yaml", "--out", "."], "choose another folder with --out"),
        (["run", "tiny.yaml", "--out", "."], "choose another folder with --out"),
        (["audit", "nowhere"], "there is no such folder"),
        (["audit", "."], "run.json"),
    ],
)
def test_wrong_input_is_told_in_a_line_and_nothing_is_written(here: Path, words: list[str], said: str) -> None:
    result = wxsim(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert files(here) == ["tiny.yaml"]


def test_listings_name_everything() -> None:
    for command, names in (("mechanisms", catalog.mechanisms()), ("metrics", METRICS)):
        result = wxsim(command)
        assert result.exit_code == 0
        told = set(result.output.replace(",", "").split())
        for name in names:
            what, by, which = name.partition("@")
            assert not by or which in told
            assert what + by + ("" if not by else "KIND" if which in KINDS else "CHANNEL") in told
        assert max(map(len, result.output.splitlines())) <= 80


def test_scenarios_lists_what_is_shipped() -> None:
    result = wxsim("scenarios")
    assert result.exit_code == 0
    shipped = {path.stem for path in (ROOT / "scenarios").glob("*.yaml")}
    assert shipped <= set(result.output.split())


def test_schema_is_json_schema() -> None:
    found = json.loads(wxsim("schema").output)
    assert found["$schema"].startswith("https://json-schema.org/")
    assert "merchants" in found["properties"]


# ------------------------------------------------------------------------------------------------------ runs


def test_run_writes_a_ledger_that_passes_the_audit(here: Path) -> None:
    result = wxsim("run", "tiny.yaml", "--strategy", "cheaper", "--seed", 5)
    assert result.exit_code == 0, result.output
    assert "wrote runs/tiny-cheaper-seed-5" in result.output
    manifest = json.loads((here / "runs/tiny-cheaper-seed-5/run.json").read_text("utf-8"))
    assert (manifest["strategy"], manifest["seed"]) == ("cheaper", 5)
    assert f"digest {manifest['digest']['total']}" in result.output
    assert METRICS["net_gmv"].title in result.output
    audited = wxsim("audit", "runs/tiny-cheaper-seed-5")
    assert audited.exit_code == 0, audited.output


@pytest.mark.slow
def test_run_again_replaces_its_own_output_and_gives_the_same(here: Path) -> None:
    first, second = (wxsim("run", "tiny.yaml", "--out", "out") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.output == second.output
    assert files(here) == ["out", "tiny.yaml"]


@pytest.mark.slow
def test_recording_everything_adds_details_and_changes_no_number(here: Path) -> None:
    plain, everything = (
        wxsim("run", "tiny.yaml", "--out", "a"),
        wxsim("run", "tiny.yaml", "--out", "b", "--record", "all"),
    )
    assert plain.output.replace("wrote a", "wrote b") == everything.output
    events = [json.loads((here / out / "run.json").read_text("utf-8"))["counts"]["events"] for out in "ab"]
    assert events[0] < events[1]


def test_audit_of_a_ledger_that_was_changed_fails(here: Path) -> None:
    assert wxsim("run", "tiny.yaml", "--out", "out").exit_code == 0
    path = here / "out" / "run.json"
    path.write_text(path.read_text("utf-8").replace('"total": "', '"total": "0'), "utf-8")
    result = wxsim("audit", "out")
    assert result.exit_code == 1
    assert "not those that the run wrote" in result.output
    (here / "out" / "events" / "part-00000.parquet").write_bytes(b"PAR1")
    result = wxsim("audit", "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("wxsim: out/events/part-00000.parquet: is damaged")


# ------------------------------------------------------------------------------------------------ comparisons


def test_compare_prints_the_table_and_names_its_files(here: Path) -> None:
    result = wxsim("compare", "tiny.yaml", "--workers", 1, "--json", "numbers.json")
    assert result.exit_code == 0, result.output
    text, _, written = result.output.partition("\nwrote ")
    assert text == (here / "runs/tiny-compare/table.txt").read_text("utf-8")
    assert all(Path(name).exists() for name in written.split())
    assert max(map(len, result.output.splitlines())) <= 80
    assert result.stderr == ""
    assert (here / "numbers.json").read_bytes() == (here / "runs/tiny-compare/comparison.json").read_bytes()


@pytest.mark.slow
def test_quiet_compare_says_nothing_and_writes_all_the_same(here: Path) -> None:
    result = wxsim("compare", "tiny.yaml", "--workers", 1, "--replications", 1, "--out", "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert "there is no interval" in (here / "out" / "table.txt").read_text("utf-8")
    assert files(here / "out") == ["comparison.json", "differences.png", "runs", "table.txt"]
    assert (
        json.loads((here / "out/comparison.json").read_text("utf-8"))["differences"]["again"]["orders"]["ci95"] is None
    )


def test_a_failed_run_is_in_the_exit_code(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.study import compare

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("bad luck")

    monkeypatch.setattr(compare, "run", broken)
    result = wxsim("compare", "tiny.yaml", "--workers", 1)
    assert result.exit_code == 1
    assert "failed: again, seed" in result.stdout
    assert f"{REPLICATIONS * len(STRATEGIES)} of {REPLICATIONS * len(STRATEGIES)} runs failed" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_comparison_says_what_it_kept_and_leaves_nobody(here: Path, sign: signal.Signals) -> None:
    write(here, "days: 5", "days: 3000")
    words = [*WXSIM, "compare", "tiny.yaml", "--workers", "2", "--replications", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
    running = subprocess.Popen(words, cwd=here, start_new_session=True, **pipes)
    try:
        until(lambda: len(list(here.glob("runs/.*/runs/*/*"))) >= 2)
        running.send_signal(sign)
        out, err = running.communicate(timeout=60)
        until(lambda: not group_lives(running.pid))
    finally:
        if group_lives(running.pid):
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 130
    assert (out, err) == ("", "interrupted; nothing was kept\n")
    assert files(here / "runs") == []


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_what_was_finished_before_an_interrupt_is_kept(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.study import compare

    simulate = compare.run

    def attempt(scenario: Scenario, *rest: Any, strategy: str, **options: Any) -> Any:
        if strategy == "cheaper":
            raise KeyboardInterrupt
        return simulate(scenario, *rest, strategy=strategy, **options)

    monkeypatch.setattr(compare, "run", attempt)
    result = wxsim("compare", "tiny.yaml", "--workers", 1)
    assert result.exit_code == 130
    kept = Path("runs/tiny-compare-interrupted")
    assert result.stderr == f"interrupted; {2 * REPLICATIONS} finished runs are kept in {kept}\n"
    assert f"{2 * REPLICATIONS} of {3 * REPLICATIONS} runs are finished" in (kept / "table.txt").read_text("utf-8")
    assert files(here / "runs") == [kept.name]


@pytest.mark.parametrize(
    "words",
    [
        ["metrics"],
        *(pytest.param(w, marks=pytest.mark.slow) for w in (["schema"], ["run", "tiny.yaml", "--out", "out"])),
    ],
)
def test_a_closed_pipe_is_quiet_and_loses_nothing(here: Path, words: list[str]) -> None:
    running = subprocess.Popen(
        [*WXSIM, *words], cwd=here, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    running.stdout.close()
    assert running.stderr.read() == ""
    running.stderr.close()
    assert running.wait(30) in (0, 1)
    if "run" in words:
        assert (here / "out" / "run.json").exists()


def test_a_full_disk_is_told_in_a_line(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.ledger import parquet

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "part-00000.parquet")

    monkeypatch.setattr(parquet.pq, "write_table", full)
    result = wxsim("run", "tiny.yaml")
    assert result.exit_code == 1
    assert result.stderr == "wxsim: part-00000.parquet: No space left on device\n"
    assert files(here / "runs") == []


# ------------------------------------------------------------------------------------------------------ genealogies


def test_genealogy_tells_trees_and_writes_them(here: Path) -> None:
    told = Story()
    first = told.event("share", DAY, user=1, quantity=4)
    again = told.event("share", 5 * DAY, first, user=2, quantity=2)
    told.event("order", 6 * DAY, again, user=3, amount=20_000)
    told.write(here / "run")
    for suffix, read in ((".graphml", nx.read_graphml), (".json", read_json)):
        result = wxsim("genealogy", "run", "--kind", "shares", "--out", f"trees{suffix}")
        assert result.exit_code == 0, result.output
        graph = read(here / f"trees{suffix}")
        assert [*graph.edges] == [(f"{first['event']:016x}", f"{again['event']:016x}")]
        assert graph.nodes[f"{again['event']:016x}"]["value"] == 200.0
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines[-3:-1]] == [["0", "1", "0", "0", "0"], ["1", "1", "1", "200", "200"]]
    for kind in ("promotions", "gifts"):
        assert wxsim("genealogy", "run", "--kind", kind).exit_code == 0
    wrong = wxsim("genealogy", "run", "--out", "trees.pdf")
    assert (wrong.exit_code, files(here)) == (2, ["run", "tiny.yaml", "trees.graphml", "trees.json"])
    assert ".graphml or .json" in wrong.stderr


def read_json(path: Path) -> Any:
    return nx.node_link_graph(json.loads(path.read_text("utf-8")), edges="edges")
