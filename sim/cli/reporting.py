"""Reports: ``wxsim report``, and ``--report`` of other commands."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli import _progress, app

ReportOption = Annotated[
    bool, typer.Option("--report", help="Write report.html there too: one page to read, print and forward.")
]


@app.command()
def report(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run, comparison or study.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="By default report.html in DIR.")] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", metavar="DIR", help="Write every figure as PNG and SVG instead.")
    ] = None,
) -> None:
    """Write one HTML page of a run, comparison or study that needs no network: to read, print and forward."""
    from sim.report import figures as paper
    from sim.report.page import FILE, html

    made = _made(place)
    if figures is not None:
        written = paper.write(made.figures, made.strategies, figures)
        typer.echo(f"wrote {len(written)} files in {figures}")
        return
    out = out or place / FILE
    _write(out, html(made))
