"""Compare strategies: the same worlds under each, metric by metric, seed by seed."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sim import draws
from sim.config.load import load
from sim.config.model import Scenario
from sim.errors import RunStopped, StudyError
from sim.metrics import catalog as metrics
from sim.run import run
from sim.study import executor, folder
from sim.study.comparison import Comparison, Failure
from sim.study.figure import draw
from sim.study.plan import pieces, soonest
from sim.study.table import table
from sim.words import ENGLISH, _, speaking
from sim.world.build import society
from sim.world.kept import FOLDER


class ComparisonInterrupted(KeyboardInterrupt):
    """Ctrl-C during a comparison; `comparison` holds what was finished, None if nothing was."""

    def __init__(self, comparison: Comparison | None) -> None:
        super().__init__("interrupted")
        self.comparison = comparison


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared, with every default filled in."""

    baseline: str
    metrics: tuple[str, ...]
    merchant: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of work: one strategy in a batch of seeds. Plain data, so that it can go to another process."""

    scenario: Mapping[str, Any]
    strategy: str
    first: int  # replication number of its first seed
    seeds: tuple[int, ...]
    folders: tuple[Path, ...]
    metrics: tuple[str, ...]
    merchant: str
    lane: int
    begin: int  # position of the seed whose world is built first, another in every lane
    societies: Path  # where lanes leave the worlds that they build for each other


@dataclass(frozen=True, slots=True)
class Row:
    """What one run gave: metrics by name and the ledger's digest, or the error that ended it."""

    values: Mapping[str, float]
    digest: str | None = None
    error: str = ""


Rows = tuple[Row, ...]


def compare(
    scenario: Scenario | str | Path,
    *,
    replications: int | None = None,
    workers: int | None = None,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    arrived: Callable[[Comparison], None] | None = None,
) -> Comparison:
    """Run every strategy of a scenario in the same worlds and compare each with the baseline.

    `replications` worlds per strategy (by default the scenario's), on `workers` processes (by default as many as there
    are processors; the result does not depend on it). Everything is written to `out`, by default
    ``runs/<title>-compare``. `progress(done, all)` counts simulated days; if it raises RunStopped, the comparison is
    interrupted. `arrived` is told after every run what is found so far, with the folder in which its ledgers lie by
    then; worlds then come one, two, four ... at a time, never in this process. A run that fails is kept as a failure
    and the others go on. Raises StudyError if the scenario has no `compare` section or `out` belongs to somebody else,
    and ComparisonInterrupted on an interrupt (Ctrl-C), with what was finished. With several workers a script that calls
    this must do so under ``if __name__ == "__main__":``, as always with multiprocessing.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario, metrics=tuple(metrics.METRICS))
    plan = _plan(scenario, replications)
    workers = workers or executor.processors()
    out = (
        Path(out)
        if out is not None
        else Path("runs") / f"{next(iter(folder.slugs([scenario.title]).values()))}-compare"
    )
    made = folder.begin(out, folder.COMPARISON)
    units = list(_units(scenario, plan, workers, made, apart=arrived is not None))
    found: dict[int, Rows | Exception] = {}

    def done(index: int, rows: Rows | Exception) -> None:
        found[index] = rows
        if arrived is not None:
            arrived(_gathered(scenario, plan, units, found, made))

    whole = len(plan.seeds) * len(scenario.strategies) * scenario.horizon.days
    try:
        executor.stream(
            work,
            units,
            workers=workers,
            lane=lambda unit: unit.lane,
            done=done,
            told=(lambda days: progress(min(days, whole), whole)) if progress else lambda days: None,
            apart=arrived is not None,
        )
        return _finish(scenario, plan, units, found, made, out)
    except (KeyboardInterrupt, RunStopped):
        if not found or not made.exists():
            raise ComparisonInterrupted(None) from None
        place = out if out.name else out.resolve()
        kept = place.with_name(place.name + "-interrupted")
        raise ComparisonInterrupted(_finish(scenario, plan, units, found, made, kept)) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def replication_seeds(seed: int, count: int) -> tuple[int, ...]:
    """Seeds of the replications: hashes of (the scenario's seed, number), the first ones the same for any count."""
    if count < 1:
        raise StudyError(_("{count} replications compare nothing; use 1 or more", count=count))
    found = draws.bits("study/replication", np.uint64(seed), np.arange(count, dtype=np.uint64)) >> np.uint64(1)
    return tuple(found.tolist())


def work(unit: Unit) -> Rows:
    """Run one strategy in a batch of worlds side by side. If that fails, each world alone, to see which it is."""
    scenario = Scenario.restore(unit.scenario)
    FOLDER.set(unit.societies)
    for seed in (*unit.seeds[unit.begin :], *unit.seeds[: unit.begin]):
        society(scenario.world, seed)
    days, abreast = scenario.horizon.days, len(unit.seeds)

    def simulated(day: int) -> None:
        if day < days:  # what comes after the horizon is the winding down
            executor.report(abreast)

    try:
        ledgers = run(scenario, unit.seeds, unit.folders, strategy=unit.strategy, progress=simulated)
        return tuple(_row(ledger, unit) for ledger in ledgers)
    except Exception as error:
        for made in unit.folders:
            shutil.rmtree(made, ignore_errors=True)
        if abreast == 1:
            return (Row({}, error=executor.said(error)),)
        return tuple(row for lone in _lone(unit) for row in work(lone))


def _plan(scenario: Scenario, replications: int | None) -> Plan:
    """The comparison that the scenario asks for."""
    asked = scenario.compare
    if asked is None or not scenario.strategies:
        raise StudyError(_("nothing to compare; the scenario needs `strategies:` and `compare: {baseline: ...}`"))
    if asked.baseline not in scenario.strategies:
        raise StudyError(
            _(
                "the baseline {baseline!r} is not one of {strategies}",
                baseline=asked.baseline,
                strategies=", ".join(scenario.strategies),
            )
        )
    claimed = [name for claim in scenario.expects for name in (claim.metric, claim.per) if name]
    return Plan(
        baseline=asked.baseline,
        metrics=tuple(dict.fromkeys([*(asked.metrics or metrics.STANDARD), *claimed])),
        merchant=scenario.focal,
        seeds=replication_seeds(scenario.seed, asked.replications if replications is None else replications),
    )


def _units(scenario: Scenario, plan: Plan, workers: int, made: Path, apart: bool) -> Iterator[Unit]:
    """The runs, divided among the workers."""
    slugs = folder.slugs(scenario.strategies)
    contents = {name: strategy.resolved() for name, strategy in scenario.strategies.items()}
    names = tuple(scenario.strategies)
    users, days = scenario.world.people.count, scenario.horizon.days
    seeds = len(plan.seeds)
    cut = soonest(seeds, len(names), users, workers) if apart else pieces(seeds, len(names), users, days, workers)
    for piece in cut:
        name = names[piece.strategy]
        yield Unit(
            scenario=contents[name],
            strategy=name,
            first=piece.seeds.start,
            seeds=tuple(plan.seeds[number] for number in piece.seeds),
            folders=tuple(made / "runs" / slugs[name] / f"seed-{number}" for number in piece.seeds),
            metrics=plan.metrics,
            merchant=plan.merchant,
            lane=piece.lane,
            begin=len(piece.seeds) * piece.lane // workers,
            societies=made / "societies",
        )


def _lone(unit: Unit) -> Iterator[Unit]:
    for at, (seed, made) in enumerate(zip(unit.seeds, unit.folders, strict=True)):
        yield replace(unit, first=unit.first + at, seeds=(seed,), folders=(made,))


def _row(ledger: Any, unit: Unit) -> Row:
    """The metrics of one ledger, its files closed again."""
    try:
        return Row(metrics.table(ledger, unit.metrics, unit.merchant), ledger.manifest["digest"]["total"])
    except Exception as error:
        return Row({}, ledger.manifest["digest"]["total"], executor.said(error))
    finally:
        ledger.close()


def _gathered(
    scenario: Scenario, plan: Plan, units: Sequence[Unit], found: Mapping[int, Rows | Exception], out: Path
) -> Comparison:
    """Put results in their places."""
    shape = (len(plan.metrics), len(plan.seeds))
    values = {name: np.full(shape, np.nan) for name in scenario.strategies}
    done = {name: np.zeros(len(plan.seeds), np.bool_) for name in scenario.strategies}
    digests: dict[str, list[str | None]] = {name: [None] * len(plan.seeds) for name in scenario.strategies}
    failures = []
    for index in sorted(found):
        unit = units[index]
        for at, (seed, row) in enumerate(zip(unit.seeds, _rows(found[index], unit), strict=True), unit.first):
            digests[unit.strategy][at] = row.digest
            if row.error:
                failures.append(Failure(unit.strategy, at, seed, row.error))
            else:
                done[unit.strategy][at] = True
                values[unit.strategy][:, at] = [row.values[metric] for metric in plan.metrics]
    return Comparison(
        title=scenario.title,
        baseline=plan.baseline,
        merchant=plan.merchant,
        metrics=plan.metrics,
        seeds=plan.seeds,
        values=values,
        done=done,
        digests={name: tuple(each) for name, each in digests.items()},
        failures=tuple(failures),
        folder=out,
        combined=scenario.compare.synergy if scenario.compare else {},
        expects=scenario.expects,
    )


def _finish(
    scenario: Scenario,
    plan: Plan,
    units: Sequence[Unit],
    found: Mapping[int, Rows | Exception],
    made: Path,
    out: Path,
) -> Comparison:
    """Write results down and give the folder its name."""
    comparison = _gathered(scenario, plan, units, found, out)
    for index, unit in enumerate(units):
        for at, unfinished in enumerate(unit.folders, unit.first):
            if index not in found or not comparison.done[unit.strategy][at]:
                shutil.rmtree(unfinished, ignore_errors=True)
                with suppress(OSError):  # the strategy's folder, if that was all that it held
                    unfinished.parent.rmdir()
    shutil.rmtree(made / "societies", ignore_errors=True)
    with speaking(ENGLISH):  # whoever runs it, the same bytes
        folder.write_text(made / "table.txt", table(comparison))
        draw(comparison, made / "differences.png")
    folder.write_json(made / folder.COMPARISON.manifest, comparison.as_dict())
    folder.publish(made, out, folder.COMPARISON)
    return comparison


def _rows(result: Rows | Exception, unit: Unit) -> Rows:
    """The rows of a piece of work; if it was lost as a whole, each run of it failed."""
    return (Row({}, error=executor.said(result)),) * len(unit.seeds) if isinstance(result, Exception) else result
