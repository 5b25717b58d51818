"""Commands for studies: ``wxsim sweep``, ``status`` and ``results``."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import app, reporting
from sim.cli.options import (
    STORE,
    DaskOption,
    DryRunOption,
    JsonOption,
    LevelsOption,
    MpiOption,
    QuietOption,
    ReportOption,
    StoreOption,
    StudyArgument,
    StudyFolder,
    WorkersOption,
)
from sim.cli.terminal import FAILED, Answer, fail, interrupted, progress, warn
from sim.errors import StudyError
from sim.words import _, several

if TYPE_CHECKING:
    from sim.config.model import Scenario
    from sim.study.seeds import Confirmed
    from sim.study.store import Store
    from sim.study.sweep import Plan, Result
    from sim.units import F64


@app.command()
def sweep(
    study: StudyArgument,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="By default runs/NAME-study.")] = None,
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    mpi: MpiOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = None,
    quiet: QuietOption = False,
    report: ReportOption = False,
) -> None:
    """Do every run of a study that has not been done yet.

    Doing it again resumes it, after whatever ended it.
    """
    from sim.study import executor
    from sim.study.design import read
    from sim.study.store import Store
    from sim.study.sweep import sweep as do

    answer = Answer(json, quiet)
    if report:
        reporting.check()
    file, named = study_file(study)
    asked = read(file)
    kept = Store(store, begin=not dry_run)
    if asked.advice:
        warn(asked.advice)
    if dry_run:
        planned("sweep", asked, kept, workers or executor.processors(), answer)
        return
    out = out or Path("runs") / f"{named}-study"
    with resumable(store, answer) as told, pool(dask, mpi, workers) as (opened, many):
        found = do(asked, out, kept, workers=many, pool=opened, progress=told)
    counts = {"runs": len(found.rows), "there": found.plan.there, "new": found.new, "failed": len(found.failed)}
    answer.say(_("{runs} runs: {there} were there, {new} are new, {failed} failed", **counts))
    written = [out / "results.csv", out / "results.parquet", *([reporting.page(out, quiet=quiet)] if report else [])]
    answer.wrote([*written, *answer.give("sweep", found.as_dict())])
    ended(found, out)


@app.command()
def status(
    folder: StudyFolder, store: StoreOption = STORE, json: JsonOption = None, quiet: QuietOption = False
) -> None:
    """Say how far a study is."""
    from sim.study.sweep import read

    answer, said, kept = Answer(json, quiet), read(folder), _there(store)
    keys = {run[3] for run in said["runs"]}
    done = sum(key in kept for key in keys)
    left = Counter(run[1] for run in said["runs"] if run[3] not in kept)
    rows = len(said["runs"])
    answer.say(said["title"])
    answer.say(_("{done} of {all} different runs are done ({rows} rows)", done=done, all=len(keys), rows=rows))
    for strategy, count in left.items():
        answer.say("  " + _("missing under {strategy}: {count}", strategy=strategy, count=count))
    numbers = {"runs": rows, "different": len(keys), "done": done, "missing": dict(left)}
    answer.wrote(answer.give("status", {"title": said["title"], "folder": str(folder), **numbers}))


@app.command()
def results(
    folder: StudyFolder,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="A .csv or .parquet file.")] = None,
    answer: Annotated[bool, typer.Option("--answer", help="Sentences and a point in each row, for people.")] = False,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .png or .svg file: lines over one axis, maps over two.")
    ] = None,
    levels: LevelsOption = False,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Show the table of a study, its answer or its figure.

    By default as CSV on the screen.
    """
    from sim.study import answer as answers
    from sim.study import chart
    from sim.study.results import results as read

    told = Answer(json, quiet)
    for option, file, ends in (("--figure", figure, (".png", ".svg")), ("--out", out, (".csv", ".parquet"))):
        if file is not None and file.suffix not in ends:
            raise StudyError(
                _(
                    "{option} {file}: name a file that ends in {one} or {other}",
                    option=option,
                    file=file,
                    one=ends[0],
                    other=ends[1],
                )
            )
    found, written = read(folder), list[Path]()
    if figure is not None:
        chart.draw(found, figure, levels=levels)
        written.append(figure)
    if answer:
        told.say(answers.text(found, levels).rstrip("\n"))
    if out is not None:
        out.write_bytes((folder / f"results{out.suffix}").read_bytes())
        written.append(out)
    if json is not None:
        written += told.give("results", found.as_dict())
    elif not (answer or written or quiet):
        sys.stdout.write((folder / "results.csv").read_text("utf-8"))
    told.wrote(written)


def study_file(study: Path) -> tuple[Path, str]:
    """The file of a study, and a name for what comes of it."""
    file = study / "study.yaml" if study.is_dir() else study
    return file, file.resolve().parent.name if file.stem == "study" else file.stem


def planned(what: str, study: Any, store: "Store", workers: int, answer: Answer) -> None:
    """What doing a study would take: runs, time and disk."""
    from sim.study.sweep import BYTES_PER_RUN, estimate_seconds, plan

    whole = plan(study, store)
    seconds, size = estimate_seconds(whole, workers), whole.missing * BYTES_PER_RUN
    counts = whole.as_dict()
    answer.say(_("{points} points x {strategies} strategies x {seeds} seeds = {runs} runs", **counts))
    answer.say(_("{there} are in the store, {missing} are to be done", **counts))
    cost = _(
        "about {minutes:.0f} min on {workers} processors ({seconds:,.0f} s), {size:,.1f} MB in the store",
        minutes=seconds / 60,
        workers=workers,
        seconds=seconds,
        size=size / 1e6,
    )
    answer.say(cost)
    estimate = {"workers": workers, "seconds": seconds, "bytes": size}
    answer.wrote(answer.give(what, {**counts, "dry_run": True, "estimate": estimate}))


def ended(found: "Result", out: Path) -> None:
    """Exit code 1 if runs failed, and the first error."""
    if found.failed:
        (error, _trace), *_more = found.failed.values()
        count = len(found.failed)
        said = _("{count} runs failed, the first one by: {error}", count=count, error=error)
        fail(f"{said}\n" + _("see {folder}", folder=out / "failures"), FAILED)


def add_seeds(
    scenario: "Scenario",
    until: str,
    budget: str,
    first: int | None,
    confirm: int | None,
    store: Path,
    workers: int | None,
    answer: Answer,
) -> None:
    """`wxsim compare --until`: seeds for what is undecided, then perhaps the best once more; told, and as JSON."""
    from sim.study import seeds
    from sim.study.store import Store

    if first is not None and scenario.compare:
        scenario = scenario.model_copy(update={"compare": scenario.compare.model_copy(update={"replications": first})})
    goal, most = seeds.goal(until, seeds.study(scenario).metrics), seeds.budget(budget)
    with resumable(store, answer) as told:
        found = seeds.until(scenario, goal, most, Store(store), workers=workers, progress=told)
    answer.say(seeds.told(found, most))
    sure = None
    if confirm is not None:
        sure = confirmed(scenario, goal.metric, found.values, confirm, store, workers, answer)
    answer.wrote(answer.give("seeds", seeds.as_dict(found, sure)))


def confirmed(
    scenario: "Scenario",
    metric: str,
    values: "Mapping[str, F64]",
    count: int,
    store: Path,
    workers: int | None,
    answer: Answer,
) -> "Confirmed":
    """`wxsim compare --confirm`: the best strategy again, on fresh seeds."""
    from sim.study import seeds
    from sim.study.store import Store

    used = max(each.size for each in values.values())
    with resumable(store, answer) as told:
        ask = seeds.fresh(scenario, metric, used, Store(store), workers=workers, progress=told)
        found = seeds.confirm(values, seeds.study(scenario).baseline, metric, ask, count)
    answer.say(seeds.said(found, values[found.winner].size))
    return found


def _there(store: Path) -> "Store":
    from sim.study.store import MARKER, Store

    if not (store / MARKER).exists():
        raise StudyError(
            _("{store}: is not a store of wxsim; name the one that the sweep used with --store", store=store)
        )
    return Store(store)


@contextmanager
def pool(dask: str | None, mpi: bool, workers: int | None) -> Iterator[tuple[Any, int | None]]:
    """What opens the executor that was asked for (None: processes here), and its workers."""
    from sim.study import cluster

    if dask is not None and mpi:
        raise StudyError(_("give --dask or --mpi, not both"))
    if dask is not None:
        with cluster.dask(dask, workers, partial(typer.echo, err=True)) as pool:
            yield pool
    elif mpi:
        with cluster.mpi(workers) as pool:
            yield pool
    else:
        yield None, workers


@contextmanager
def resumable(store: Path, answer: Answer) -> Iterator[Any]:
    """Progress of work that goes on where it was when it is done again; an interrupt says so."""
    with (
        interrupted(_("interrupted; every finished run is kept in {store}; do it again to go on", store=store)),
        progress(_("sweeping"), answer.quiet) as advance,
    ):
        began = monotonic()

        def told(whole: "Plan", runs: int, days: int, failures: int) -> None:
            rate = 60 * runs / max(monotonic() - began, 1.0)
            said = _("{runs}/{whole} runs, {rate:,.0f} a minute", runs=runs, whole=whole.missing, rate=rate)
            failed = several("{count} failed", "{count} failed", failures) if failures else ""
            advance(days, whole.days, ", ".join(filter(None, (said, failed))))

        yield told
