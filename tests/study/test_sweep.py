"""Sweeps: what is done once is never done again, whoever does it, and whatever stops it."""

import csv
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import StudyError
from sim.study import cluster, executor, sweep
from sim.study.design import read
from sim.study.store import MARKER, Store
from tests.study import tiny

AXES = "axes: {people.browse.opens: [0.7, 1.0]}\n"


def study(folder: Path, text: str = AXES, seeds: int = 2) -> Path:
    folder.mkdir(exist_ok=True)
    if not (folder / "tiny.yaml").exists():
        tiny.write(folder, f"count: {tiny.PEOPLE}", "count: 40")
    path = folder / "study.yaml"
    path.write_text(
        f"title: t?\nscenario: tiny.yaml\nseeds: {seeds}\nstrategies: [store only, cheaper]\n{text}", "utf-8"
    )
    return path


def files(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.rglob("*.json")}


def done(folder: Path, text: str = AXES, seeds: int = 2, **options: Any) -> tuple[sweep.Result, dict[str, bytes]]:
    """Do a study in a folder of its own; the store beside it."""
    result = sweep.sweep(read(study(folder, text, seeds)), folder / "out", Store(folder / "store"), **options)
    return result, files(folder / "store")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[sweep.Result, dict[str, bytes]]:
    return done(tmp_path_factory.mktemp("whole"), workers=1)


@pytest.mark.slow
def test_a_row_for_each_run(whole: tuple[sweep.Result, dict[str, bytes]]) -> None:
    result, kept = whole
    assert result.complete
    assert len(kept) == 8 + 1
    table = list(csv.DictReader((result.out / "results.csv").open(encoding="utf-8")))
    assert len(table) == 8
    assert {(row["people.browse.opens"], row["strategy"], row["replication"]) for row in table} == {
        (opens, name, number) for opens in ("0.7", "1.0") for name in ("store only", "cheaper") for number in "01"
    }
    assert all(row["status"] == "done" and float(row["orders"]) >= 0 for row in table)
    assert sweep.table(result.rows).column_names[:3] == ["point", "people.browse.opens", "strategy"]


@pytest.mark.slow
def test_the_store_is_the_same_for_any_executor(whole: tuple[sweep.Result, dict[str, bytes]], tmp_path: Path) -> None:
    for name, options in (
        ("processes", {"workers": 3}),
        ("threads", {"pool": lambda: ThreadPoolExecutor(2)}),
        ("here", {"pool": executor.SerialExecutor}),
    ):
        assert done(tmp_path / name, **options)[1] == whole[1]


@pytest.mark.slow
def test_dask_writes_the_same_store_and_a_lost_worker_loses_nothing(
    whole: tuple[sweep.Result, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with cluster.dask("local", 2, said.append) as (pool, count):
        assert count == 2 and said[0].startswith("dashboard: http://127.0.0.1:")
        flag = tmp_path / "flag"
        monkeypatch.setattr(sweep, "work", partial(dies_once, flag))
        assert done(tmp_path / "killed", pool=pool, workers=count)[1] == whole[1]
        assert flag.exists()


def dies_once(flag: Path, batch: sweep.Batch) -> sweep.Done:
    """The work of a sweep, by a worker that is killed in the middle of its first batch."""
    if not flag.exists():
        sweep.work(batch)
        flag.write_text("died", "utf-8")
        os.kill(os.getpid(), signal.SIGKILL)
    return sweep.work(batch)


@pytest.mark.slow
def test_a_killed_process_of_the_pool_loses_nothing(
    whole: tuple[sweep.Result, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "flag"
    monkeypatch.setattr(sweep, "work", partial(dies_once, flag))
    result, kept = done(tmp_path / "killed", workers=2)
    assert flag.exists() and result.complete
    assert kept == whole[1]


@pytest.mark.parametrize(("count", "days", "workers"), [(40, 5, 1), (40, 5, 2), (40, 5, 50), (5_000, 365, 2)])
def test_batches_are_many_and_short_and_hold_every_run_once(
    tmp_path: Path, count: int, days: int, workers: int
) -> None:
    tiny.write(tmp_path, f"count: {tiny.PEOPLE}", f"count: {count}")
    scenario = tmp_path / "tiny.yaml"
    scenario.write_text(scenario.read_text("utf-8").replace(f"days: {tiny.DAYS}", f"days: {days}"), "utf-8")
    whole = sweep.plan(read(study(tmp_path, "", seeds=64)), Store(tmp_path / "store"))
    batches = [*sweep.divided(whole, workers)]
    assert len(batches) >= min(4 * workers, whole.missing)
    assert [name for each in batches for name in each.keys] == [name for each in whole.batches for name in each.keys]
    assert [seed for each in batches for seed in each.seeds] == [seed for each in whole.batches for seed in each.seeds]
    for each in batches:
        alone = count * days * sweep.SECONDS_PER_USER_DAY + sweep.SECONDS_PER_RUN
        assert len(each.keys) == 1 or len(each.keys) * alone <= sweep.SECONDS_PER_BATCH
    if (count, workers) == (40, 2):
        assert max(len(each.keys) for each in batches) >= 8  # small worlds still run side by side


def test_what_dead_sweeps_left_is_removed_and_what_the_living_use_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = multiprocessing.get_context("spawn").Process(target=os.getpid)
    gone.start()
    gone.join()
    dead = [tmp_path / f"{sweep._prefix(what, gone.pid)}x" for what in ("societies", "sweep")]
    others = [tmp_path / f"{sweep._prefix('sweep')}x", tmp_path / "wxsim-sweep-mine", tmp_path / "wxsim-sweeping"]
    for folder in (*dead, *others):
        folder.mkdir()
    sweep._sweep_up()
    assert sorted(tmp_path.iterdir()) == sorted(others)


@pytest.mark.slow
def test_an_interrupt_waits_for_no_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def stops(*args: Any, **options: Any) -> None:
        seen.append(set(sys.modules))
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "fill", stops)
    with pytest.raises(KeyboardInterrupt):
        done(tmp_path, workers=1)
    assert (tmp_path / "out" / "results.csv").exists()
    assert {name for name in set(sys.modules) - seen[0] if name.startswith("pandas")} == set()


def test_a_worker_of_another_version_computes_nothing(tmp_path: Path) -> None:
    batch = sweep.plan(read(study(tmp_path)), Store(tmp_path / "store")).batches[0]
    with pytest.raises(StudyError, match="another version of wxsim"):
        sweep.work(replace(batch, model="another"))


@pytest.mark.slow
def test_extending_does_the_new_runs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done(tmp_path, workers=1)
    batches: list[sweep.Batch] = []
    honest = sweep.work
    monkeypatch.setattr(sweep, "work", lambda batch: (batches.append(batch), honest(batch))[1])
    more, kept = done(tmp_path, seeds=3, workers=1)
    assert [len(batch.seeds) for batch in batches] == [1, 1, 1, 1]
    assert (more.plan.there, len(kept)) == (8, 12 + 1)
    done(tmp_path, AXES + "metrics: [gmv, margin]\n", seeds=3, workers=1)
    done(tmp_path, "", seeds=3, workers=1)  # opens is 1.0 without an axis
    assert len(batches) == 4
    done(tmp_path, "axes: {people.browse.opens: [0.7, 0.8, 1.0]}\n", seeds=3, workers=1)
    assert sum(len(batch.seeds) for batch in batches[4:]) == 6


@pytest.mark.slow
def test_equal_runs_are_done_once(tmp_path: Path) -> None:
    text = "axes: {merchants.tea.channels.groups.joining: [0.1, 0.2, 0.3]}\n"
    tmp_path.mkdir(exist_ok=True)
    tiny.write(tmp_path, "  again: {}", "  again: {merchants.tea.channels.groups: {}}")
    path = study(tmp_path, text)
    path.write_text(path.read_text("utf-8").replace("[store only, cheaper]", "[store only, again]"), "utf-8")
    result = sweep.sweep(read(path), tmp_path / "out", Store(tmp_path / "store"), workers=1)
    assert (len(result.rows), result.plan.missing) == (12, 2 + 6)
    assert result.complete


@pytest.mark.slow
def test_a_run_that_fails_is_a_row_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = sweep.run
    unlucky = read(study(tmp_path)).seeds[1]

    def breaks(scenario: Any, seeds: Any, *args: Any, **options: Any) -> Any:
        if unlucky in seeds and scenario.people["browse"].opens == 1.0:
            raise RuntimeError("no more\nmemory")
        return honest(scenario, seeds, *args, **options)

    monkeypatch.setattr(sweep, "run", breaks)
    result, _ = done(tmp_path, workers=1)
    lost = [row for row in result.rows if row["status"] == "failed"]
    assert [(row["people.browse.opens"], row["replication"]) for row in lost] == [(1.0, 1)] * 2
    assert all(row["error"] == "RuntimeError: no more memory" and row["orders"] is None for row in lost)
    traces = [*(tmp_path / "out" / "failures").iterdir()]
    assert len(traces) == 2 and "in breaks" in traces[0].read_text("utf-8")
    assert sum(row["status"] == "done" for row in result.rows) == 6
    monkeypatch.setattr(sweep, "run", honest)
    again, _ = done(tmp_path, workers=1)
    assert again.complete and not (tmp_path / "out" / "failures").exists()


class Dying(Executor):
    """A pool whose processes die with whatever they do for the first so many times."""

    deaths = 0

    def submit(self, fn: Any, /, *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if Dying.deaths > 0:
            Dying.deaths -= 1
            future.set_exception(BrokenProcessPool("died"))
        else:
            future.set_result(fn(*args, **options))
        return future


def test_a_pool_that_dies_is_opened_again_and_nothing_is_lost() -> None:
    found: dict[int, Any] = {}
    Dying.deaths = 5
    executor.stream(lambda unit: unit * 2, [1, 2, 3, 4, 5, 6], pool=Dying, done=found.__setitem__)
    assert found == {index: (index + 1) * 2 for index in range(6)}
    Dying.deaths = 10**6
    found.clear()
    executor.stream(lambda unit: unit * 2, [1, 2], pool=Dying, done=found.__setitem__)
    assert sorted(found) == [0, 1] and "died again and again" in str(found[0])


KILLS = 20
FOUR = "axes: {people.browse.opens: [0.6, 0.7, 0.8, 0.9]}\n"


def forked() -> Executor:
    return ProcessPoolExecutor(2, multiprocessing.get_context("fork"))


def swept(folder: Path, pool: Callable[[], Executor] | None) -> None:
    """In a process of its own: a sweep that can be killed with all that it started."""
    os.setsid()
    tempfile.tempdir = str(folder / "temporary")
    done(folder, FOUR, seeds=1, workers=1 if pool is None else 2, pool=pool)


@pytest.mark.slow
def test_a_sweep_that_is_killed_at_twenty_moments_ends_with_the_same_store(tmp_path: Path) -> None:
    server = multiprocessing.get_context("forkserver")  # its children have imported everything: they start at once
    server.set_forkserver_preload([__name__, "sim.study.sweep", "sim.config.load", "duckdb", "pyarrow.parquet"])
    killed, store, luck = tmp_path / "killed", tmp_path / "killed" / "store", random.Random(7)
    for folder in (killed, tmp_path / "whole"):
        (folder / "temporary").mkdir(parents=True)

    def uninterrupted(folder: Path) -> tuple[float, float]:
        """Seconds to the first run in the store, and to the end."""
        child, begun, first = server.Process(target=swept, args=(folder, None)), time.monotonic(), 0.0
        child.start()
        while child.is_alive():
            child.join(0.02)
            first = first or (len(files(folder / "store")) > 1) * (time.monotonic() - begun)
        assert child.exitcode == 0
        return first, time.monotonic() - begun

    server.Process(target=os.getpid).start()  # starts the server
    first, end = uninterrupted(tmp_path / "whole")
    whole = files(tmp_path / "whole" / "store")
    lived = []
    for kill in range(KILLS):
        child = server.Process(target=swept, args=(killed, forked if kill % 2 else None))
        child.start()
        child.join(luck.uniform(0.7 * first, first + (end - first) / 4))  # before the first run to after the third
        lived.append(child.is_alive())
        with suppress(ProcessLookupError):  # the child has not come as far as a group of its own, or is done
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.join()
        assert files(store).items() <= whole.items()
    assert sum(lived) >= 5 and len(files(store)) > 1  # it was under way, and came on
    uninterrupted(killed)
    assert {path.name: path.read_bytes() for path in store.rglob("*") if path.is_file()} == whole
    assert (killed / "out" / "results.csv").read_bytes() == (tmp_path / "whole" / "out" / "results.csv").read_bytes()


# ---------------------------------------------------------------------------------------------------- the command


def wxsim(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = study(tmp_path / "mine")
    said = wxsim("sweep", path.parent, "--dry-run")
    assert said.exit_code == 0
    assert "2 points x 2 strategies x 2 seeds = 8 runs" in said.output and "8 are to be done" in said.output
    assert not (tmp_path / "runs").exists()  # a dry run does nothing
    said = wxsim("sweep", path, "--workers", 1)
    assert said.exit_code == 0 and "0 were there, 8 are new, 0 failed" in said.output
    said = wxsim("status", "runs/mine-study")
    assert "8 of 8 different runs are done" in said.output
    said = wxsim("results", "runs/mine-study")
    assert len(said.output.splitlines()) == 9
    assert wxsim("results", "runs/mine-study", "--out", "all.parquet").exit_code == 0
    assert (tmp_path / "all.parquet").stat().st_size > 0


@pytest.mark.slow
def test_failed_runs_are_said_and_change_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: Any, **options: Any) -> Any:
        raise RuntimeError("no more memory")

    monkeypatch.chdir(tmp_path)
    path = study(tmp_path / "mine", "")
    monkeypatch.setattr(sweep, "run", breaks)
    said = wxsim("sweep", path, "--workers", 1)
    assert said.exit_code == 1
    assert "4 runs failed, the first one by: RuntimeError: no more memory\nsee runs/mine-study/failures" in said.output
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert wxsim("sweep", path, "--workers", 1).exit_code == 0


@pytest.mark.slow
def test_what_stands_in_the_place_of_a_run_is_named_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = study(tmp_path / "mine", "", seeds=1)
    assert wxsim("sweep", path, "--workers", 1).exit_code == 0
    first, *_ = Path("runs/store").glob("??/*.json")
    first.write_text("my diary", "utf-8")
    table = Path("runs/mine-study/results.csv").read_bytes()
    said = wxsim("sweep", study(tmp_path / "mine", "", seeds=2), "--workers", 1)
    assert said.exit_code == 2 and len(said.output.splitlines()) == 1
    assert f"{first}: cannot be read as JSON" in said.output and "move it away" in said.output
    assert first.read_text("utf-8") == "my diary" and Path("runs/mine-study/results.csv").read_bytes() == table


def test_wrong_input_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "diary.txt").write_text("mine", "utf-8")
    path, wrong = study(tmp_path / "mine"), study(tmp_path / "other", "axes: {people.brows.opens: [1]}\n")
    beyond = study(tmp_path / "beyond", "axes: {people.browse.opens: [0.5, 1.5]}\n")
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / MARKER).write_text('{"wxsim": "store", "format": 99}', "utf-8")
    before = sorted([*(entry.name for entry in tmp_path.iterdir()), "runs"])  # an empty store is begun there
    for arguments, said in (
        (("sweep", "nothing.yaml"), "a study is a YAML file"),
        (("sweep", path, "--store", "."), "is not a store of wxsim"),
        (("status", "."), "is not the folder of a study"),
        (("results", "."), "is not the folder of a study"),
        (("sweep", wrong), 'did you mean "browse"'),
        (("sweep", beyond), "axis people.browse.opens"),
        (("sweep", path, "--store", "later"), "a store of format 99"),
        (("sweep", path, "--out", "mine"), "exists and is not a study of wxsim"),
    ):
        result = wxsim(*arguments)
        assert result.exit_code == 2 and said in result.output
        assert len(result.output.splitlines()) == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before
