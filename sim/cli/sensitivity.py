"""Command for the question which parameters decide: ``wxsim sensitivity``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sim.cli import app, completing
from sim.cli.options import (
    STORE,
    DaskOption,
    DryRunOption,
    JsonOption,
    LevelsOption,
    MpiOption,
    QuietOption,
    StoreOption,
    StudyArgument,
    WorkersOption,
)
from sim.cli.sweeping import ended, planned, pool, resumable, study_file
from sim.cli.terminal import Answer
from sim.words import _


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
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="By default those of the study.", autocompletion=completing.metrics),
    ] = None,
    levels: LevelsOption = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="By default runs/NAME-METHOD.")] = None,
    store: StoreOption = STORE,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    mpi: MpiOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Say which parameters of a study matter more than luck.

    Judged is what its strategies change of its metrics, or the metrics themselves.
    """
    from sim.study import executor, findings
    from sim.study.sensitivity import prepared
    from sim.study.sensitivity import sensitivity as do
    from sim.study.store import Store

    answer = Answer(json, quiet)
    file, name = study_file(study)
    asked, sampled = prepared(file, method.value if method else None, size=size, groups=groups, metrics=metric or ())
    kept = Store(store, begin=not dry_run)
    if dry_run:
        counts = {"factors": len(sampled.factors), "blocks": len(sampled.shares)}
        answer.say(_("factors: {factors}, blocks of points: {blocks}", **counts))
        planned("sensitivity", asked, kept, workers or executor.processors(), answer)
        return
    out = out or Path("runs") / f"{name}-{sampled.method}"
    with resumable(store, answer) as told, pool(dask, mpi, workers) as (opened, many):
        result, found = do(asked, sampled, out, kept, levels=levels, workers=many, pool=opened, progress=told)
    findings.write(asked, found, out)
    answer.say(findings.text(asked, found))
    said = {"method": sampled.method, "folder": str(out), **findings.as_dict(asked, found)}
    files = [out / f"sensitivity.{suffix}" for suffix in ("csv", "parquet", "txt", "png", "svg")]
    answer.wrote([*files, *answer.give("sensitivity", said)])
    ended(result, out)
