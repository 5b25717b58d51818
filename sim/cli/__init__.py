"""The command line: ``wxsim``.

Exit codes: 0 done; 1 a check or a run failed; 2 the input is wrong (a scenario, an option, a folder); 130 interrupted.
What is slow to import is imported by the command that needs it.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from sim import words
from sim.cli.help import Command, Spoken, UsageError, fail_usage
from sim.cli.options import (
    STORE,
    FolderOption,
    JsonOption,
    QuietOption,
    ReportOption,
    ScenarioArgument,
    SeedOption,
    StrategyOption,
    UntilOption,
    WorkersOption,
)
from sim.cli.terminal import (
    FAILED,
    INTERRUPTED,
    WRONG,
    Answer,
    asked_to_stop,
    fail,
    interrupt,
    load,
    progress,
    stem,
    warn,
)
from sim.errors import LedgerError, RunStopped, ScenarioError, StudyError, WxsimError, reason
from sim.words import _, told
from sim.words.columns import cut, left, right

if TYPE_CHECKING:
    from sim.study.comparison import Comparison

Done = TypeVar("Done", bound=Callable[..., Any])
COMPLETE = "_WXSIM_COMPLETE"  # set by a shell that asks what may be typed next


class Commands(Spoken, TyperGroup):
    """Commands that speak the user's language and tell errors in words, without a traceback."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the command that was typed, in the language that was asked for before it or that the system speaks."""
        with words.speaking(_language(sys.argv[1:] if args is None else args)):
            return super().main(args, *others, **options)

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Take in what was typed."""
        try:
            return super().make_context(*args, **options)
        except UsageError as error:
            fail_usage(error)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what is raised on purpose becomes lines on stderr and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a closed pipe shows here, where it is handled, and not when the interpreter ends
            return result
        except UsageError as error:
            fail_usage(error)
        except ScenarioError as error:
            fail(str(error), WRONG)
        except (StudyError, LedgerError) as error:
            fail(f"wxsim: {error}", WRONG)
        except WxsimError as error:
            fail(f"wxsim: {type(error).__name__}: {error}", FAILED)
        except KeyboardInterrupt:
            fail(_("interrupted; nothing was kept"), INTERRUPTED)
        except BrokenPipeError:
            raise  # somebody who has read enough is told nothing
        except OSError as error:
            fail(f"wxsim: {f'{error.filename}: ' if error.filename else ''}{reason(error)}", FAILED)


class App(typer.Typer):
    """Commands that speak the user's language."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Done], Done]:
        """As typer's."""
        return super().command(name, cls=Command, **options)


app = App(
    name="wxsim",
    cls=Commands,
    help="Compare marketing strategies on WeChat in a simulated market.",
    epilog="Exit codes: 0 done, 1 a check or a run failed, 2 wrong input, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Record(StrEnum):
    """What the ledger holds."""

    orders = "orders"
    all = "all"


class Engines(StrEnum):
    """What moves a run; both write the same ledger."""

    array = "array"
    events = "events"


def main() -> None:
    """The command ``wxsim``. A request to end is an interrupt: nothing half-written stays, no worker either."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as for what a shell started in the background
            signal.signal(number, interrupt)
    if COMPLETE in os.environ:
        completion.begin()
    app(prog_name="wxsim")


def _language(typed: Sequence[str]) -> str:
    """The language that stands before the command, or that of the system: help and errors need it before all else."""
    for at, word in enumerate(typed):
        name, _equals, value = word.partition("=")
        if name == "--lang":
            asked = value or next(iter(typed[at + 1 :]), "")
            return asked if asked in words.languages() else words.preferred(os.environ)
        if not word.startswith("-"):
            break
    return words.preferred(os.environ)


def _version(wanted: bool) -> None:
    if wanted:
        from sim import __version__

        typer.echo(f"wxsim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    lang: Annotated[
        str | None, typer.Option(metavar="NAME", help="Language of results: en, zh; by default the system's.")
    ] = None,
) -> None:
    """Compare marketing strategies on WeChat in a simulated market."""
    if lang is not None and lang not in words.languages():
        raise StudyError(_("--lang {name}: there are {known}", name=lang, known=", ".join(words.languages())))


@app.command()
def run(
    scenario: ScenarioArgument,
    strategy: StrategyOption = None,
    seed: SeedOption = None,
    out: FolderOption = None,
    record: Annotated[Record | None, typer.Option(help="Orders and what led to them, or every exposure.")] = None,
    engine: Annotated[Engines, typer.Option(help="Whole batches, or one event at a time.")] = Engines.array,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say where the time goes, by phase and mechanism.")
    ] = False,
    report: ReportOption = False,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Run a scenario once and write its ledger."""
    from sim.engine.profile import Profile
    from sim.metrics.catalog import STANDARD, table
    from sim.run import run as simulate
    from sim.study import folder
    from sim.study.executor import processors
    from sim.study.store import numbers

    answer = Answer(json, quiet)
    if report:
        reporting.check()
    whole = load(scenario, warn)
    chosen = whole if strategy is None else whole.strategy(strategy)
    if record is not None:
        chosen = chosen.model_copy(update={"record": record.value})
    seed = whole.seed if seed is None else seed
    named = f"-{folder.slugs([strategy])[strategy]}" if strategy else ""
    out = out or Path("runs") / f"{stem(scenario)}{named}-seed-{seed}"
    days, spent = chosen.horizon.days, Profile()
    with (
        folder.replacing(out, folder.RUN) as made,
        progress(_("building the world"), quiet) as advance,
        asked_to_stop() as stop,
    ):

        def simulated(day: int) -> None:
            advance.step(_("simulating"))
            advance(min(day + 1, days), days)
            if stop():
                raise RunStopped

        (ledger,) = simulate(
            chosen,
            (seed,),
            (made,),
            strategy=strategy or "",
            progress=simulated,
            threads=1 if profile else processors(),
            engine=engine.value,
            watch=spent.watch if profile else lambda engine: lambda: None,
        )
        advance.step(_("measuring"))
        plan = whole.compare
        found = table(ledger, plan.metrics if plan and plan.metrics else STANDARD, whole.focal)
    manifest = ledger.manifest
    written = [out, *([reporting.page(out, quiet=quiet, merchant=whole.focal)] if report else [])]
    said = {name: manifest[name] for name in ("strategy", "seed", "days")} | {"stopped": manifest.get("stopped")}
    said |= {"scenario": whole.title, "merchant": whole.focal, "folder": str(out)}
    written += answer.give("run", {**said, "digest": manifest["digest"]["total"], "metrics": numbers(found)})
    answer.say("\n".join(_measured(found)))
    answer.say(_("digest {digest}", digest=manifest["digest"]["total"]))
    answer.wrote(written)
    if profile:
        answer.say(str(spent))
    if "stopped" in manifest:
        days_done = manifest["stopped"]
        fail(_("stopped after day {done} of {days}; these days are whole", done=days_done, days=days), INTERRUPTED)


@app.command()
def compare(
    scenario: ScenarioArgument,
    workers: WorkersOption = None,
    replications: Annotated[int | None, typer.Option(metavar="N", min=1, help="Worlds per strategy.")] = None,
    out: FolderOption = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
    report: ReportOption = False,
    until: UntilOption = None,
    budget: Annotated[
        str | None, typer.Option(metavar="N", help="With --until: at most so many runs (1000), or 10m, 2h.")
    ] = None,
    confirm: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="Run the best strategy again, on N fresh seeds.")
    ] = None,
    store: Annotated[Path, typer.Option(metavar="DIR", help="Where --until and --confirm keep runs.")] = STORE,
) -> None:
    """Say which strategy is better, by how much, how sure that is.

    Every strategy runs in the same worlds, with the same luck, so that a difference is a difference.
    """
    from sim.study import folder, seeds
    from sim.study.compare import ComparisonInterrupted
    from sim.study.compare import compare as study
    from sim.study.table import table

    answer = Answer(json, quiet)
    if budget is not None and until is None:
        raise StudyError(_("--budget ends what --until begins; give --until too, or --replications N alone"))
    if report:
        reporting.check()
    asked = load(scenario, warn)
    if until is not None:
        if out is not None or report:
            raise StudyError(_("--until writes no folder; its runs are kept in --store; leave out --out and --report"))
        sweeping.add_seeds(asked, until, budget or "1000", replications, confirm, store, workers, answer)
        return
    out = out or Path("runs") / f"{stem(scenario)}-compare"
    try:
        with progress(_("simulating"), quiet) as advance:
            found = study(asked, replications=replications, workers=workers, out=out, progress=advance)
    except ComparisonInterrupted as interrupted:
        fail(_kept(interrupted.comparison), INTERRUPTED)
    written = [found.folder / name for name in folder.COMPARISON.files if (found.folder / name).exists()]
    if report:
        written.append(reporting.page(found.folder, quiet=quiet))
    answer.say(table(found))
    sure = None
    if confirm is not None and not found.failures:
        metric = found.metrics[0]
        values = {name: found.per_seed(name, metric) for name in found.strategies}
        sure = sweeping.confirmed(asked, metric, values, confirm, store, workers, answer)
    written += answer.give("comparison", {**found.as_dict(), **seeds.confirmed_as_dict(sure)})
    answer.wrote(written)
    if found.failures:
        runs = len(found.seeds) * len(found.strategies)
        fail(_("{failed} of {runs} runs failed", failed=len(found.failures), runs=runs), FAILED)


def _kept(comparison: "Comparison | None") -> str:
    if comparison is None:
        return _("interrupted; nothing was kept")
    finished = sum(int(done.sum()) for done in comparison.done.values())
    return _("interrupted; {finished} finished runs are kept in {folder}", finished=finished, folder=comparison.folder)


def _measured(found: Mapping[str, float]) -> Iterator[str]:
    """Metrics of one run, line by line."""
    from sim.metrics.catalog import METRICS
    from sim.study.table import number

    for name, value in found.items():
        metric = METRICS[name]
        yield f"{left(cut(told(metric.title), 48), 48)} {right(number(value), 11)}  {told(metric.unit)}"


# A command's module is imported last: it needs `app`.
from sim.cli import checking as checking  # noqa: E402
from sim.cli import completion as completion  # noqa: E402
from sim.cli import listing as listing  # noqa: E402
from sim.cli import new as new  # noqa: E402
from sim.cli import reading as reading  # noqa: E402
from sim.cli import reporting as reporting  # noqa: E402
from sim.cli import sensitivity as sensitivity  # noqa: E402
from sim.cli import serving as serving  # noqa: E402
from sim.cli import sweeping as sweeping  # noqa: E402
