"""How every command speaks: to people on a terminal, into a pipe or a file, and as JSON to programs.

What was found goes to stdout, as lines or, with ``--json -``, as JSON alone; progress, warnings and errors go to
stderr. Progress is shown to somebody who looks on, and to nobody else.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shutil import get_terminal_size
from threading import Timer
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from sim.errors import Fault, StudyError
from sim.words import _, marked
from sim.words.columns import left, width, wrap

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from sim.config.model import Scenario

FAILED, WRONG, INTERRUPTED = 1, 2, 130  # exit codes; 0 is done
SCREEN = Path("-")

WIDTH, NAMES = 80, 29  # columns of a line, and of the names in a list


class Answer:
    """What a command found, told as `--json` and `--quiet` ask."""

    def __init__(self, json: Path | None = None, quiet: bool = False) -> None:
        """StudyError before any work, if the JSON could not be written after it."""
        if json not in (None, SCREEN) and (json.is_dir() or not json.absolute().parent.is_dir()):
            raise StudyError(
                _("--json {path}: cannot be written there; name a file in a folder that exists", path=json)
            )
        self._json, self.quiet = json, quiet

    def say(self, text: str, whole: bool = False) -> None:
        """Lines for people; what is longer than 80 columns goes on in the next line, unless it stays `whole`."""
        if not self.quiet and self._json != SCREEN:
            for line in text.split("\n"):
                typer.echo(line if whole or width(line) <= WIDTH else "\n".join(_wrapped(line)))

    def wrote(self, files: Iterable[Path]) -> None:
        """Name the files that were written."""
        if files := list(files):
            self.say(_("wrote {files}", files="\n      ".join(str(file) for file in files)), whole=True)

    def give(self, what: str, content: Mapping[str, Any]) -> tuple[Path, ...]:
        """The same for programs, if they asked; the file that it was written to."""
        from sim.study import folder

        content = {"wxsim": what, **content}
        if self._json == SCREEN:
            typer.echo(folder.json_text(content), nl=False)
        elif self._json is not None:
            folder.write_json(self._json, content)
            return (self._json,)
        return ()


class Progress:
    """How far the work is. Called with what is done and how much there is; steps have names."""

    def __init__(self, bar: "Bar | None" = None, unit: str = "", lines: bool = False) -> None:
        self._bar, self._unit, self._lines, self._step = bar, unit, lines, ""

    def __call__(self, done: int, whole: int, said: str = "") -> None:
        """So much is done of the step, perhaps with something said of it."""
        if self._bar is not None:
            said = said or f"{done:,}/{whole:,} {_(self._unit)}"
            self._bar.update(self._bar.task_ids[0], completed=done, total=whole, said=said)

    def step(self, name: str) -> None:
        """Another step begins; how long it takes is not known yet."""
        if self._bar is not None and name != self._step:
            self._bar.reset(self._bar.task_ids[0], total=None, description=name, said="")
        elif self._lines and name != self._step:
            typer.echo(name, err=True)
        self._step = name


@contextmanager
def progress(step: str, quiet: bool = False, unit: str = marked("days"), lines: bool = False) -> Iterator[Progress]:
    """Progress with the time that a step took and has left, on stderr, for somebody who looks on.

    Into a file or a pipe goes nothing, or (`lines`) the name of each step.
    """
    if quiet or not sys.stderr.isatty():
        yield Progress(lines=lines and not quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    def kept() -> Column:
        """What no narrow terminal takes away; names of steps and the bar give way."""
        return Column(no_wrap=True, min_width=7)

    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=3, no_wrap=True)),
        TextColumn("{task.fields[said]}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(None, table_column=Column(ratio=1)),
        TimeElapsedColumn(table_column=kept()),
        TextColumn(_("left:")),
        TimeRemainingColumn(table_column=kept()),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        bar.add_task(step, total=None, said="")
        yield Progress(bar, unit)


def interrupt(number: int, frame: FrameType | None) -> None:
    """KeyboardInterrupt, as soon as nothing is being imported.

    A library in C that imports (duckdb) would swallow it, and perhaps keep the lock of imports, for which every thread
    waits then.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            send = partial(os.kill, os.getpid()) if os.name == "posix" else signal.raise_signal
            later = Timer(0.02, send, (number,))
            later.daemon = True
            later.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; a second one ends at once, as it always does."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(number, interrupt)
        typer.echo(_("stopping at the end of this day; Ctrl-C again to stop at once and keep nothing"), err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupted(kept: str) -> Iterator[None]:
    """When somebody interrupts the block, it is said what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        fail(kept, INTERRUPTED)


def fail(said: str, code: int) -> NoReturn:
    """Say what went wrong, and end with this exit code."""
    typer.echo(said, err=True)
    raise typer.Exit(code)


def load(source: str, heard: Callable[[Fault], None] | None = None) -> "Scenario":
    """The scenario of a file or of a shipped name; `heard` is told what would do nothing."""
    from sim.config.load import load as read
    from sim.metrics.catalog import METRICS

    return read(source, metrics=tuple(METRICS), warn=heard)


def warn(warning: object) -> None:
    """Say what is no fault but may be a mistake."""
    typer.echo(_("warning: {what}", what=warning), err=True)


def stem(scenario: str) -> str:
    """What a scenario's folders are called after."""
    return Path(scenario).stem or "scenario"


def listing(answer: Answer, rows: Iterable[tuple[str, str]]) -> None:
    """Names and what they mean, in two columns, as wide as the terminal but no wider than is good to read."""
    columns = min(WIDTH, get_terminal_size((WIDTH, 24)).columns)
    for name, meaning in rows:
        lines = wrap(meaning, max(columns - NAMES - 1, 20)) or [""]
        if width(name) > NAMES:
            answer.say(name, whole=True)
            name = ""
        for at, line in enumerate(lines):
            answer.say(f"{left('' if at else name, NAMES)} {line}", whole=True)


def _wrapped(line: str) -> list[str]:
    """A line in several, all but the first two columns further in; words are not broken: they may be paths."""
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(line.strip(), WIDTH, indent, indent + "  ", whole=True)
