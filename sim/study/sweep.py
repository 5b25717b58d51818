"""Sweeps: every strategy at every point of a study, under every seed, each run done once and kept.

What is to be done is the runs whose keys are not in the store. Seeds of one scenario that are missing run side by
side. Each run is kept as soon as its batch is done, so a sweep that is killed goes on where it stopped, and one with
more seeds, points or metrics does only what is new. A batch that fails is done again world by world; a run that fails
then is a row with its error, and its traceback is a file. Workers only compute; who asked them writes.
"""

import csv
import io
import json
import os
import shutil
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from platform import node
from tempfile import TemporaryDirectory, gettempdir, mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.config.model import Scenario
from sim.errors import StudyError, reason
from sim.metrics import catalog as metrics
from sim.run import run
from sim.study import executor, folder
from sim.study.design import Point, Study
from sim.study.plan import FIXED, MOST_USERS_ABREAST
from sim.study.store import Store, key, libraries, model, numbers
from sim.units import F64
from sim.words import _, marked
from sim.world.kept import FOLDER

if TYPE_CHECKING:
    import pyarrow as pa

STUDY = folder.Output(
    marked("study"),
    "study.json",
    frozenset({"wxsim", "title", "runs"}),
    ("study.json", "results.csv", "results.parquet", "failures", "report.html"),
)
SECONDS_PER_USER_DAY = 2.3e-6  # measured: 12 s for eight worlds of 5,000 people, 60 days
SECONDS_PER_RUN = 0.4  # measured: a ledger of a small world, with every metric asked of it
SECONDS_PER_BATCH = 5.0  # what a lost worker costs, above the fixed price of ticks
BATCHES_PER_WORKER = 4  # so that the last one done is not waited for long
BYTES_PER_RUN = 13_000  # measured, in the store
Failed = dict[str, tuple[str, str]]  # error and traceback of runs that failed, by key


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a study: where it stands in the design, and what determines it."""

    point: int
    strategy: str
    number: int  # of the replication
    seed: int
    key: str
    scenario: str  # its digest


@dataclass(frozen=True, slots=True)
class Batch:
    """A piece of work: seeds of one scenario. Plain data, so that it can go to another process or machine."""

    scenario: Mapping[str, Any]
    digest: str
    merchant: str
    seeds: tuple[int, ...]
    keys: tuple[str, ...]
    model: str  # whose source makes the runs what they are
    societies: Path | None = None  # where workers on this machine share the worlds that they build

    @property
    def days(self) -> int:
        """Simulated days, those of all worlds together."""
        return len(self.seeds) * int(self.scenario["horizon"]["days"])

    @property
    def users(self) -> int:
        """People in each world."""
        return int(self.scenario["world"]["people"]["count"])


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a batch, by key: what the store is to keep, and errors with their tracebacks."""

    found: Mapping[str, Mapping[str, Any]]
    failed: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """All runs of a study, those that are still missing in batches, and what the study asks."""

    study: Study
    runs: tuple[Run, ...]
    batches: tuple[Batch, ...]
    there: int  # different runs that are in the store already

    @property
    def missing(self) -> int:
        """Different runs that are still to be done."""
        return sum(len(batch.keys) for batch in self.batches)

    @property
    def days(self) -> int:
        """Days that are still to be simulated, in all worlds together."""
        return sum(batch.days for batch in self.batches)

    def as_dict(self) -> dict[str, Any]:
        """What is to be done, ready for JSON."""
        study = self.study
        sizes = {name: len(getattr(study, name)) for name in ("points", "strategies", "seeds")}
        return {"title": study.title, **sizes, "runs": len(self.runs), "there": self.there, "missing": self.missing}


def plan(study: Study, store: Store) -> Plan:
    """What a study consists of, and what of it is missing in the store."""
    runs: list[Run] = []
    made: dict[str, Scenario] = {}
    missing: dict[str, dict[str, int]] = {}
    known: set[str] = set()
    for at, point in enumerate(study.points):
        for strategy in study.strategies:
            scenario = study.at(strategy, point)
            digest = scenario.digest
            made.setdefault(digest, scenario)
            made_by = libraries(scenario.world)
            for number, seed in enumerate(study.seeds):
                name = key(digest, study.merchant, seed, made_by)
                runs.append(Run(at, strategy, number, seed, name, digest))
                if name in known or store.get(name):  # what is no run of ours is told before anything is done
                    known.add(name)
                else:
                    missing.setdefault(digest, {})[name] = seed
    batches = tuple(
        Batch(made[digest].resolved(), digest, study.merchant, tuple(wanted.values()), tuple(wanted), model())
        for digest, wanted in missing.items()
    )
    return Plan(study, tuple(runs), batches, len(known))


def divided(whole: Plan, workers: int) -> Iterable[Batch]:
    """The missing runs in batches that `workers` share evenly, and that take little with them if they are killed.

    At least about four for each worker; no more worlds side by side than there is room for; and what worlds add to a
    tick's fixed price, that is their people x days and their metrics, stays under five seconds. The fixed price itself
    is paid by a lone world too.
    """
    fair = max(1, whole.missing // (BATCHES_PER_WORKER * max(1, workers)))
    for batch in whole.batches:
        each = batch.days / len(batch.seeds) * batch.users * SECONDS_PER_USER_DAY + SECONDS_PER_RUN
        size = max(1, min(fair, int(SECONDS_PER_BATCH / each), MOST_USERS_ABREAST // batch.users))
        for first in range(0, len(batch.keys), size):
            cut = slice(first, first + size)
            yield replace(batch, seeds=batch.seeds[cut], keys=batch.keys[cut])


def work(batch: Batch) -> Done:
    """Do the runs of a batch; one that fails is done again world by world. StudyError if the model is another here."""
    if batch.model != model():
        raise StudyError(_("the worker has another version of wxsim; give it the one that the sweep was started with"))
    try:
        return Done(_do(batch, batch.keys, batch.seeds), {})
    except Exception:
        found: dict[str, Mapping[str, Any]] = {}
        failed: dict[str, tuple[str, str]] = {}
        for name, seed in zip(batch.keys, batch.seeds, strict=True):
            try:
                found |= _do(batch, (name,), (seed,))
            except Exception as error:
                failed[name] = (executor.said(error), traceback.format_exc())
        return Done(found, failed)


def _do(batch: Batch, keys: Sequence[str], seeds: Sequence[int]) -> dict[str, Mapping[str, Any]]:
    """What the store is to keep of these runs."""
    FOLDER.set(batch.societies)
    scenario = Scenario.restore(batch.scenario)
    days, abreast = scenario.horizon.days, len(seeds)

    def simulated(day: int) -> None:
        if day < days:
            executor.report(abreast)

    out: dict[str, Mapping[str, Any]] = {}
    with TemporaryDirectory(prefix=_prefix("sweep"), ignore_cleanup_errors=True) as place:
        folders = [Path(place, name) for name in keys]
        for name, seed, ledger in zip(keys, seeds, run(scenario, seeds, folders, progress=simulated), strict=True):
            found = metrics.table(ledger, metrics.METRICS, batch.merchant)
            total = ledger.manifest["digest"]["total"]
            ledger.close()
            content = {"scenario": batch.digest, "merchant": batch.merchant, "seed": seed, "ledger": total}
            out[name] = {**content, "metrics": numbers(found)}
    return out


@dataclass(frozen=True, slots=True)
class Result:
    """A study as it stands: every run, what is in the store of it, and what failed."""

    plan: Plan
    failed: Mapping[str, tuple[str, str]]
    rows: tuple[dict[str, Any], ...]
    out: Path

    @property
    def complete(self) -> bool:
        """Whether every run is there."""
        return all(row["status"] == "done" for row in self.rows)

    @property
    def new(self) -> int:
        """Different runs that have been done now."""
        return self.plan.missing - len(self.failed)

    def as_dict(self) -> dict[str, Any]:
        """What has been done, ready for JSON; the table is in the folder."""
        failed = [{"key": name, "error": error} for name, (error, _) in self.failed.items()]
        said = {"folder": str(self.out), "complete": self.complete, "new": self.new, "failed": failed}
        return {**self.plan.as_dict(), **said}


def sweep(
    study: Study,
    out: Path,
    store: Store,
    *,
    workers: int | None = None,
    pool: Callable[[], Executor] | None = None,
    progress: Callable[[Plan, int, int, int], None] | None = None,
) -> Result:
    """Do what is missing of a study and write its table to `out`.

    `pool` opens an executor of `workers` (see `sim.study.cluster`); by default it is a pool of processes here.
    `progress(plan, runs done, simulated days done, failures)` is called about every tenth of a second. On
    KeyboardInterrupt the table of what is done is written, and the interrupt goes on.
    """
    folder.check(out, STUDY)
    whole = plan(study, store)
    out.mkdir(parents=True, exist_ok=True)
    _write_plan(whole, out)
    table([{"seed": 0}])  # pyarrow imports pandas, for seconds: now rather than after Ctrl-C
    failed: Failed = {}
    try:
        fill(whole, store, failed, workers=workers, pool=pool, progress=progress)
    finally:
        result = Result(whole, failed, tuple(rows(whole, store, failed)), out)
        _write_results(result)
    return result


def fill(
    whole: Plan,
    store: Store,
    failed: Failed,
    *,
    workers: int | None = None,
    pool: Callable[[], Executor] | None = None,
    progress: Callable[[Plan, int, int, int], None] | None = None,
) -> None:
    """Do what is missing of a plan and keep it in the store; what fails is added to `failed`. Options as of `sweep`."""
    workers = workers or executor.processors()
    _sweep_up()
    societies = Path(mkdtemp(prefix=_prefix("societies"))) if pool is None else None
    batches = [replace(batch, societies=societies) for batch in divided(whole, workers)]
    runs = days = 0

    def done(index: int, found: Done | Exception) -> None:
        nonlocal runs, days
        batch = batches[index]
        runs, days = runs + len(batch.keys), days + batch.days
        if isinstance(found, Exception):
            failed.update(dict.fromkeys(batch.keys, (executor.said(found), executor.said(found))))
            return
        failed.update(found.failed)
        for name, content in found.found.items():
            store.put(name, content)

    def told(steps: int) -> None:
        if progress:
            progress(whole, runs, max(steps, days), len(failed))

    try:
        executor.stream(work, batches, workers=workers, pool=pool, done=done, told=told)
    finally:
        if societies is not None:
            shutil.rmtree(societies, ignore_errors=True)


def _prefix(what: str, process: int | str | None = None) -> str:
    """How a temporary folder begins: it names the machine and the process, so that the dead ones' can be told."""
    return f"wxsim-{what}-{blake2b(node().encode(), digest_size=4).hexdigest()}-{process or os.getpid()}-"


def _sweep_up() -> None:
    """Remove what killed sweeps left in this machine's temporary folder."""
    if os.name != "posix":  # elsewhere one cannot ask for a process without ending it
        return
    for what in ("societies", "sweep"):
        for left in Path(gettempdir()).glob(_prefix(what, "*") + "*"):
            process = left.name.split("-")[3]
            if process.isdecimal() and not _lives(int(process)):
                shutil.rmtree(left, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def rows(whole: Plan, store: Store, failed: Mapping[str, tuple[str, str]]) -> Iterable[dict[str, Any]]:
    """The tidy table: a row for each run, with its point, strategy, replication, metrics and status."""
    axes = list(dict.fromkeys(axis for point in whole.study.points for axis in point))
    found: dict[str, dict[str, Any] | None] = {}
    for each in whole.runs:
        if each.key not in found:
            found[each.key] = store.get(each.key)
        kept = found[each.key]
        point: Point = whole.study.points[each.point]
        values = kept["metrics"] if kept else {}
        status = "done" if kept else "failed" if each.key in failed else "missing"
        yield {
            "point": each.point,
            **{axis: point.get(axis) for axis in axes},
            "strategy": each.strategy,
            "replication": each.number,
            "seed": each.seed,
            "status": status,
            **{metric: values.get(metric) for metric in whole.study.metrics},
            "error": failed[each.key][0] if each.key in failed and not kept else None,
            "key": each.key,
        }


def grid(
    found: Iterable[Mapping[str, Any]], strategies: Iterable[str], metrics: Sequence[str], shape: tuple[int, int]
) -> dict[tuple[str, str], F64]:
    """The tidy table by (strategy, metric), (points, seeds); NaN where a run is missing or has nothing to measure."""
    out = {(name, metric): np.full(shape, np.nan) for name in strategies for metric in metrics}
    for row in found:
        for metric in metrics if row["status"] == "done" else ():
            if row[metric] is not None:
                out[row["strategy"], metric][row["point"], row["replication"]] = row[metric]
    return out


def table(found: Sequence[Mapping[str, Any]]) -> "pa.Table":
    """Rows as an Arrow table; an axis of mixed types becomes text."""
    import pyarrow as pa

    columns = {}
    for name in found[0] if found else ():
        values = [row[name] for row in found]
        kinds = {type(value) for value in values if value is not None}
        if len(kinds - {int, float}) > 0 and len(kinds) > 1:
            values = [None if value is None else str(value) for value in values]
        elif kinds == {int, float}:
            values = [None if value is None else float(value) for value in values]
        columns[name] = pa.array(values)
    return pa.table(columns)


def _write_plan(whole: Plan, out: Path) -> None:
    """What the study consists of, for `wxsim status` and `wxsim results`."""
    folder.write_json(
        out / "study.json",
        {
            "wxsim": "study",
            "title": whole.study.title,
            "expectation": whole.study.expectation,
            "baseline": whole.study.baseline,
            "merchant": whole.study.merchant,
            "metrics": list(whole.study.metrics),
            "seeds": list(whole.study.seeds),
            "points": [dict(point) for point in whole.study.points],
            "runs": [[each.point, each.strategy, each.number, each.key] for each in whole.runs],
        },
    )


def write_table(found: Sequence[Mapping[str, Any]], out: Path, name: str) -> None:
    """Write rows as CSV and as Parquet, each whole or not at all."""
    import pyarrow.parquet as parquet

    text = io.StringIO()
    if found:
        writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    folder.write_text(out / f"{name}.csv", text.getvalue())
    temporary = out / f".{name}-{os.getpid()}.parquet"
    parquet.write_table(table(found), temporary)
    temporary.replace(out / f"{name}.parquet")


def _write_results(result: Result) -> None:
    write_table(result.rows, result.out, "results")
    failures = result.out / "failures"
    shutil.rmtree(failures, ignore_errors=True)
    if result.failed:
        failures.mkdir()
        for name, (_, trace) in result.failed.items():
            folder.write_text(failures / f"{name}.txt", trace)


def estimate_seconds(whole: Plan, workers: int) -> float:
    """How long what is missing may take, from its user-days and the fixed prices of a tick and a run; a guess."""
    total = whole.missing * SECONDS_PER_RUN
    for batch in divided(whole, workers):
        total += batch.days * (FIXED / len(batch.seeds) + batch.users) * SECONDS_PER_USER_DAY
    return total / max(1, workers)


def read(out: Path) -> dict[str, Any]:
    """What a study's folder says it consists of. StudyError if it is none."""
    try:
        found = json.loads((out / "study.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else error
        raise StudyError(
            _("{out}: is not the folder of a study ({error}); name one that `wxsim sweep` wrote", out=out, error=why)
        ) from None
    if not isinstance(found, dict) or found.get("wxsim") != "study":
        raise StudyError(_("{out}: is not the folder of a study; name one that `wxsim sweep` wrote", out=out))
    return found
