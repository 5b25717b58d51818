"""Command for the question which parameters decide: ``wxsim sensitivity``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import FAILED, _fail, app
from sim.cli.sweeping import (
    STORE,
    DaskOption,
    DryRunOption,
    LevelsOption,
    MpiOption,
    QuietOption,
    StoreOption,
    StudyArgument,
    WorkersOption,
    _pool,
    _resumable,
    _told,
    study_file,
)


class Method(StrEnum):
    """How the axes are sampled, and what is told of them."""

    morris = "morris"
    sobol = "sobol"


@app.command()
def sensitivity(
    study: StudyArgument,
    method: Annotated[
        Method | None, typer.Option(help="Screening of many, or shares of variance of few; by default the study's.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Trajectories (10), or rows of Saltelli's scheme (64).")
    ] = None,
    groups: Annotated[bool, typer.Option("--groups", help="The parameters of one mechanism move together.")] = False,
    metric: Annotated[list[str] | None, typer.Option(metavar="NAME", help="By default those of the study.")] = None,
    levels: LevelsOption = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="By default runs/NAME-METHOD.")] = None,
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    mpi: MpiOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
) -> None:
    """Which parameters of a study move its metrics, or what its strategies change of them, more than luck does."""
    from sim.study import executor, findings
    from sim.study.sensitivity import prepared
    from sim.study.sensitivity import sensitivity as do
    from sim.study.store import Store
    from sim.study.sweep import plan

    file, name = study_file(study)
    asked, sampled = prepared(file, method.value if method else None, size=size, groups=groups, metrics=metric or ())
    kept = Store(store, begin=not dry_run)
    if dry_run:
        said = _told(plan(asked, kept), workers or executor.processors())
        typer.echo(f"factors: {len(sampled.factors)}, blocks of points: {len(sampled.shares)}\n{said}")
        return
    out = out or Path("runs") / f"{name}-{sampled.method}"
    with _resumable(store, quiet) as told, _pool(dask, mpi, workers) as (pool, many):
        result, found = do(asked, sampled, out, kept, levels=levels, workers=many, pool=pool, progress=told)
    findings.write(asked, found, out)
    typer.echo(findings.text(asked, found), nl=False)
    typer.echo(f"\nwrote {out / 'sensitivity.csv'}, and .parquet, .txt, .png, .svg")
    if result.failed:
        (error, _), *_ = result.failed.values()
        _fail(f"{len(result.failed)} runs failed, the first one by: {error}\nsee {out / 'failures'}", FAILED)
