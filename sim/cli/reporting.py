"""Reports: ``wxsim report``, and ``--report`` of other commands."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import app, completing
from sim.cli.options import QuietOption
from sim.cli.terminal import Answer, interrupted, progress
from sim.errors import StudyError
from sim.words import _, marked

if TYPE_CHECKING:
    from sim.report.page import Report
    from sim.report.shape import Figure

EXTRA = ("jinja2", "plotly.offline")  # modules that a report needs
FolderArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="The folder of a run, comparison or study.", autocompletion=completing.folders),
]


@app.command()
def report(
    place: FolderArgument,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="By default report.html in DIR.")] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", metavar="FOLDER", help="Every figure as PNG and SVG, instead.")
    ] = None,
    diffusion: Annotated[
        bool, typer.Option("--diffusion", help="Shares and gifts moving among friends, of a run, instead.")
    ] = False,
    merchant: Annotated[str, typer.Option(metavar="NAME", help="Of a run: whose numbers.")] = "",
    quiet: QuietOption = False,
) -> None:
    """Write one HTML page to read, print and forward.

    It needs no network: the answer, the figures, and what stands behind every number.
    """
    answer = Answer(quiet=quiet)
    if figures is not None and (out is not None or diffusion):
        raise StudyError(_("give --figures alone: --out names a page, --diffusion is one"))
    if figures is not None:
        from sim.report.figures import write
        from sim.study.figure import readable

        with readable() as lacking:
            shapes, strategies = _drawn(place, quiet, merchant)
            written = write(shapes, strategies, figures)
        answer.say(_("wrote {count} files in {folder}", count=len(written), folder=figures), whole=True)
        if lacking:
            answer.say(lacking)
        return
    answer.wrote([page(place, out, quiet, diffusion, merchant)])


def page(
    place: Path, out: Path | None = None, quiet: bool = False, diffusion: bool = False, merchant: str = ""
) -> Path:
    """Write the report of a folder (or the diffusion in a run), by default into it; where it is."""
    from sim.report.diffusion import FILE as MOVING
    from sim.report.diffusion import html as moving
    from sim.report.page import FILE
    from sim.study.folder import write_text

    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise StudyError(_("{path}: cannot be written there; name a file in a folder that exists", path=out))
    check(("jinja2",) if diffusion else EXTRA)
    out = out or place / (MOVING if diffusion else FILE)
    with interrupted(_("interrupted; {place} is as it was, without this report", place=place)):
        write_text(out, moving(place) if diffusion else _text(place, quiet, merchant))
    return out


def check(modules: Sequence[str] = EXTRA) -> None:
    """StudyError before any work, if a page could not be made after it."""
    from sim.report.page import needed

    for module in modules:
        needed(module)


def _text(place: Path, quiet: bool, merchant: str) -> str:
    """The page of a folder."""
    from sim.report import page, study

    return study.html(study.StudyReport(place)) if study.is_study(place) else page.html(_made(place, quiet, merchant))


def _drawn(place: Path, quiet: bool, merchant: str) -> "tuple[Sequence[Figure], Sequence[str]]":
    """The figures of a folder, and the names of all its strategies."""
    from sim.report import study

    if study.is_study(place):
        of = study.StudyReport(place)
        return of.figures, of.found.strategies
    made = _made(place, quiet, merchant)
    return made.figures, made.material.comparison.strategies


def _made(place: Path, quiet: bool, merchant: str) -> "Report":
    from sim.report.material import read
    from sim.report.page import report as made

    material = read(place, merchant)
    with progress(_("reading"), quiet, marked("runs")) as advance:
        return made(material, advance)
