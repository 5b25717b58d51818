"""The page: ``wxsim serve``."""

from typing import Annotated

import typer

from sim import words
from sim.cli import app
from sim.words import _


@app.command()
def serve(
    scenario: Annotated[
        str, typer.Argument(metavar="[SCENARIO]", help="A scenario file, or the name of a shipped one.")
    ] = "triangle",
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65_535, help="By default 8080, or any that is free.")
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option(
            "--read-only",
            help="For a class: the scenario and its levers are locked, runs are small, no file is offered; "
            "run, predict, reveal and look.",
        ),
    ] = False,
) -> None:
    """Open a page to change, predict, run and look, on this machine.

    Nothing is written but into a temporary folder, which goes with the server; Ctrl-C ends it.
    """
    from sim.web.server import listening, needed, serve

    needed()
    from sim.web.lesson import Lesson

    lesson = Lesson(scenario, read_only=read_only)
    try:
        with listening(port) as opened:
            typer.echo(_("open http://127.0.0.1:{port} in a browser; Ctrl-C ends it", port=opened.getsockname()[1]))
            serve(lesson, opened, words.spoken())
    finally:
        lesson.close()
