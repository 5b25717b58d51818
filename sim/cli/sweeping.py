"""Commands for studies: ``wxsim sweep``, ``status`` and ``results``."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import FAILED, INTERRUPTED, ReportOption, _fail, app, reporting
from sim.cli import STORE as STORE
from sim.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.config.model import Scenario
    from sim.study.seeds import Confirmed
    from sim.study.store import Store
    from sim.study.sweep import Plan
    from sim.units import F64

StudyArgument = Annotated[
    Path, typer.Argument(metavar="STUDY", help="A study file, or the folder that holds study.yaml.")
]
StudyFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `wxsim sweep` wrote.")]
StoreOption = Annotated[Path, typer.Option("--store", metavar="DIR", help="Where runs are kept, for all studies.")]
DaskOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="On a Dask cluster; `local` starts one on this machine.")
]
WorkersOption = Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes; by default all.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print no progress.")]
LevelsOption = Annotated[
    bool, typer.Option("--levels", help="Metrics themselves, not what a strategy changes of them.")
]
MpiOption = Annotated[bool, typer.Option("--mpi", help="On the ranks of an MPI job.")]


@app.command()
def sweep(
    study: StudyArgument,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="By default runs/NAME-study.")] = None,
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    mpi: MpiOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
    report: ReportOption = False,
) -> None:
    """Do every run of a study that has not been done yet. Doing it again resumes it, after whatever ended it."""
    from sim.study import executor
    from sim.study.design import read
    from sim.study.store import Store
    from sim.study.sweep import plan
    from sim.study.sweep import sweep as do

    if report:
        reporting.check()
    file, named = study_file(study)
    asked = read(file)
    kept, count = Store(store, begin=not dry_run), workers or executor.processors()
    if asked.advice:
        typer.echo(f"warning: {asked.advice}", err=True)
    if dry_run:
        typer.echo(_told(plan(asked, kept), count))
        return
    out = out or Path("runs") / f"{named}-study"
    with _resumable(store, quiet) as told, _pool(dask, mpi, workers) as (pool, many):
        found = do(asked, out, kept, workers=many, pool=pool, progress=told)
    new = found.plan.missing - len(found.failed)
    typer.echo(f"{len(found.rows)} runs: {found.plan.there} were there, {new} are new, {len(found.failed)} failed")
    typer.echo(f"wrote {out / 'results.csv'}\n      {out / 'results.parquet'}")
    if report:
        typer.echo(f"      {reporting.page(out)}")
    if found.failed:
        (error, _), *_ = found.failed.values()
        _fail(f"{len(found.failed)} runs failed, the first one by: {error}\nsee {out / 'failures'}", FAILED)


@app.command()
def status(folder: StudyFolder, store: StoreOption = STORE) -> None:
    """How far a study is."""
    from sim.study.sweep import read

    said, kept = read(folder), _there(store)
    keys = {run[3] for run in said["runs"]}
    done = sum(key in kept for key in keys)
    typer.echo(f"{said['title']}\n{done} of {len(keys)} different runs are done ({len(said['runs'])} rows)")
    left = Counter(run[1] for run in said["runs"] if run[3] not in kept)
    for strategy, count in left.items():
        typer.echo(f"  missing under {strategy}: {count}")


@app.command()
def results(
    folder: StudyFolder,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="A .csv or .parquet file.")] = None,
    answer: Annotated[bool, typer.Option("--answer", help="Sentences and a point in each row, for people.")] = False,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .png or .svg file: lines over one axis, maps over two.")
    ] = None,
    levels: LevelsOption = False,
) -> None:
    """The table of a study: as CSV on the screen, or in a file; or its answer, or its figure."""
    from sim.study import answer as answers
    from sim.study import chart
    from sim.study.results import results as read

    found = read(folder)
    if figure is not None:
        if figure.suffix not in (".png", ".svg"):
            raise StudyError(f"--figure {figure}: name a file that ends in .png or .svg")
        chart.draw(found, figure, levels=levels)
        typer.echo(f"wrote {figure}")
    if answer:
        typer.echo(answers.text(found, levels), nl=False)
    if (answer or figure is not None) and out is None:
        return
    source = folder / ("results.parquet" if out is not None and out.suffix == ".parquet" else "results.csv")
    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise StudyError(f"--out {out}: name a file that ends in .csv or .parquet")
    if out is None:
        sys.stdout.write(source.read_text("utf-8"))
    else:
        out.write_bytes(source.read_bytes())
        typer.echo(f"wrote {out}")


def study_file(study: Path) -> tuple[Path, str]:
    """The file of a study, and a name for what comes of it."""
    file = study / "study.yaml" if study.is_dir() else study
    return file, file.resolve().parent.name if file.stem == "study" else file.stem


def add_seeds(
    scenario: "Scenario",
    until: str,
    budget: str,
    first: int | None,
    confirm: int | None,
    store: Path,
    workers: int | None,
    json: Path | None,
    quiet: bool,
) -> None:
    """`wxsim compare --until`: seeds for what is undecided, then perhaps the best once more; told, and as JSON."""
    from sim.study import folder, seeds
    from sim.study.store import Store

    if first is not None and scenario.compare:
        scenario = scenario.model_copy(update={"compare": scenario.compare.model_copy(update={"replications": first})})
    goal, most = seeds.goal(until, seeds.study(scenario).metrics), seeds.budget(budget)
    with _resumable(store, quiet) as told:
        found = seeds.until(scenario, goal, most, Store(store), workers=workers, progress=told)
    if not quiet:
        typer.echo(seeds.told(found, most))
    sure = None
    if confirm is not None:
        sure = confirmed(scenario, goal.metric, found.values, confirm, store, workers, quiet)
    if json is not None:
        folder.write_json(json, seeds.as_dict(found, sure))
        typer.echo(f"wrote {json}")


def confirmed(
    scenario: "Scenario",
    metric: str,
    values: "Mapping[str, F64]",
    count: int,
    store: Path,
    workers: int | None,
    quiet: bool,
) -> "Confirmed":
    """`wxsim compare --confirm`: the best strategy again, on fresh seeds."""
    from sim.study import seeds
    from sim.study.store import Store

    used = max(each.size for each in values.values())
    with _resumable(store, quiet) as told:
        ask = seeds.fresh(scenario, metric, used, Store(store), workers=workers, progress=told)
        found = seeds.confirm(values, seeds.study(scenario).baseline, metric, ask, count)
    if not quiet:
        typer.echo(seeds.said(found, values[found.winner].size))
    return found


def _there(store: Path) -> "Store":
    from sim.study.store import MARKER, Store

    if not (store / MARKER).exists():
        raise StudyError(f"{store}: is not a store of wxsim; name the one that the sweep used with --store")
    return Store(store)


def _told(whole: "Plan", workers: int) -> str:
    """What a sweep would do: runs, time and disk."""
    from sim.study.sweep import BYTES_PER_RUN, estimate_seconds

    seconds, size = estimate_seconds(whole, workers), whole.missing * BYTES_PER_RUN / 1e6
    points, strategies = len(whole.study.points), len(whole.study.strategies)
    return (
        f"{points} points x {strategies} strategies x {len(whole.study.seeds)} seeds = {len(whole.runs)} runs\n"
        f"{whole.there} are in the store, {whole.missing} are to be done\n"
        f"about {seconds / 60:.0f} min on {workers} processors ({seconds:,.0f} s), {size:,.1f} MB in the store"
    )


@contextmanager
def _pool(dask: str | None, mpi: bool, workers: int | None) -> Iterator[tuple[Any, int | None]]:
    """What opens the executor that was asked for (None: processes here), and its workers."""
    from sim.study import cluster

    if dask is not None and mpi:
        raise StudyError("give --dask or --mpi, not both")
    if dask is not None:
        with cluster.dask(dask, workers, partial(typer.echo, err=True)) as pool:
            yield pool
    elif mpi:
        with cluster.mpi(workers) as pool:
            yield pool
    else:
        yield None, workers


@contextmanager
def _resumable(store: Path, quiet: bool) -> Iterator[Any]:
    """Progress of work that goes on where it was when it is done again; an interrupt says so."""
    try:
        with _progress(quiet) as told:
            yield told
    except KeyboardInterrupt:
        _fail(f"interrupted; every finished run is kept in {store}; do it again to go on", INTERRUPTED)


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """How far the sweep is, its rate, its failures and the time left, on stderr for somebody who looks on."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sweeping", total=None)

        def told(whole: "Plan", runs: int, days: int, failures: int) -> None:
            spent = bar.tasks[0].elapsed or 0.0
            said = f"{runs}/{whole.missing} runs, {60 * runs / spent if spent else 0:,.0f} a minute"
            said += f", {failures} failed" * bool(failures)
            bar.update(task, completed=days, total=whole.days, description=said)

        yield told
