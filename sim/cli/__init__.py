"""The command line: ``wxsim``.

Exit codes: 0 done; 1 a check or a run failed; 2 the input is wrong (a scenario, an option, a folder); 130 interrupted.
What is slow to import is imported by the command that needs it.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from sim import words
from sim.errors import Fault, LedgerError, RunStopped, ScenarioError, StudyError, WxsimError
from sim.words import _, marked

if TYPE_CHECKING:
    from sim.config.model import Scenario
    from sim.study.comparison import Comparison
    from sim.study.verify import Verdict

FAILED, WRONG, INTERRUPTED = 1, 2, 130
STORE = Path("runs") / "store"
WIDTH = 80


class Spoken(TyperGroup):
    """Commands whose errors are told in words, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what is raised on purpose becomes lines on stderr and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a closed pipe shows here, where it is handled, and not when the interpreter ends
            return result
        except ScenarioError as error:
            _fail(str(error), WRONG)
        except (StudyError, LedgerError) as error:
            _fail(f"wxsim: {error}", WRONG)
        except WxsimError as error:
            _fail(f"wxsim: {type(error).__name__}: {error}", FAILED)
        except KeyboardInterrupt:
            _fail("interrupted; nothing was kept", INTERRUPTED)
        except BrokenPipeError:
            raise  # somebody who has read enough is told nothing
        except OSError as error:
            _fail(f"wxsim: {error}", FAILED)


app = typer.Typer(
    name="wxsim",
    cls=Spoken,
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


ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped one.")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
ReportOption = Annotated[
    bool, typer.Option("--report", help="Write report.html there too: a page to read, print and forward.")
]
Folder = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to write; by default under runs/.")]


def main() -> None:
    """The command ``wxsim``. A request to end is an interrupt: nothing half-written stays, no worker either."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()


def _version(wanted: bool) -> None:
    if wanted:
        from sim import __version__

        typer.echo(f"wxsim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    lang: Annotated[
        str | None, typer.Option(metavar="NAME", help="Language of results: en, zh; by default the system's.")
    ] = None,
) -> None:
    """Compare marketing strategies on WeChat in a simulated market."""
    if lang is not None and lang not in words.languages():
        raise StudyError(f"--lang {lang}: there are {', '.join(words.languages())}")
    context.with_resource(words.speaking(lang or words.preferred(os.environ)))


@app.command()
def run(
    scenario: ScenarioArgument,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="One of its strategies.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Other luck than the scenario's.")] = None,
    out: Folder = None,
    record: Annotated[Record | None, typer.Option(help="Orders and what led to them, or every exposure.")] = None,
    engine: Annotated[Engines, typer.Option(help="Whole batches, or one event at a time.")] = Engines.array,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say where the time goes, by phase and mechanism.")
    ] = False,
    report: ReportOption = False,
) -> None:
    """Run a scenario once and write its ledger."""
    from sim.engine.profile import Profile
    from sim.run import run as simulate
    from sim.study import folder
    from sim.study.executor import processors

    if report:
        reporting.check()
    whole = _load(scenario, _warn)
    chosen = whole if strategy is None else whole.strategy(strategy)
    if record is not None:
        chosen = chosen.model_copy(update={"record": record.value})
    seed = whole.seed if seed is None else seed
    named = f"-{folder.slugs([strategy])[strategy]}" if strategy else ""
    out = out or Path("runs") / f"{_stem(scenario)}{named}-seed-{seed}"
    days, spent = chosen.horizon.days, Profile()

    def progress(day: int) -> None:
        advance(min(day + 1, days), days)
        if stop():
            raise RunStopped

    with folder.replacing(out, folder.RUN) as made, _progress(_("simulating")) as advance, _asked_to_stop() as stop:
        (ledger,) = simulate(
            chosen,
            (seed,),
            (made,),
            strategy=strategy or "",
            progress=progress,
            threads=1 if profile else processors(),
            engine=engine.value,
            watch=spent.watch if profile else lambda engine: lambda: None,
        )
        lines = list(_metrics_of(ledger, whole))
    typer.echo("\n".join(lines))
    typer.echo(f"digest {ledger.manifest['digest']['total']}")
    typer.echo(f"wrote {out}")
    if report:
        typer.echo(f"wrote {reporting.page(out, merchant=whole.focal)}")
    if profile:
        typer.echo(str(spent))
    if "stopped" in ledger.manifest:
        _fail(f"stopped after day {ledger.manifest['stopped']} of {days}; these days are whole", INTERRUPTED)


@app.command()
def compare(
    scenario: ScenarioArgument,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes; by default all processors.")
    ] = None,
    replications: Annotated[int | None, typer.Option(metavar="N", min=1, help="Worlds per strategy.")] = None,
    out: Folder = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers here too.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print no table and no progress.")] = False,
    report: ReportOption = False,
    until: Annotated[
        str | None, typer.Option(metavar="GOAL", help='Add seeds until "decided", "margin decided" or "margin ± 2%".')
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="N", help="With --until: at most so many runs (1000), or 10m, 2h.")
    ] = None,
    confirm: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="Run the best strategy again, on N fresh seeds.")
    ] = None,
    store: Annotated[Path, typer.Option(metavar="DIR", help="Where --until and --confirm keep runs.")] = STORE,
) -> None:
    """Run every strategy in the same worlds and say which is better, by how much, and how sure that is."""
    from sim.study import folder
    from sim.study.compare import ComparisonInterrupted
    from sim.study.compare import compare as study
    from sim.study.table import table

    _check_json(json)
    if budget is not None and until is None:
        raise StudyError("--budget ends what --until begins; give --until too, or --replications N alone")
    if report:
        reporting.check()
    asked = _load(scenario, _warn)
    if until is not None:
        if out is not None or report:
            raise StudyError("--until writes no folder; its runs are kept in --store; leave out --out and --report")
        sweeping.add_seeds(
            asked, until, "1000" if budget is None else budget, replications, confirm, store, workers, json, quiet
        )
        return
    out = out or Path("runs") / f"{_stem(scenario)}-compare"
    try:
        with _progress(_("simulating"), quiet) as advance:
            found = study(asked, replications=replications, workers=workers, out=out, progress=advance)
    except ComparisonInterrupted as interrupted:
        _fail(_kept(interrupted.comparison), INTERRUPTED)
    written = [found.folder / name for name in folder.COMPARISON.files if (found.folder / name).exists()]
    if json is not None:
        folder.write_json(json, found.as_dict())
        written.append(json)
    if report:
        written.append(reporting.page(found.folder, quiet=quiet))
    if not quiet:
        typer.echo(table(found))
        typer.echo(_("wrote {files}", files="\n      ".join(str(path) for path in written)))
    if confirm is not None and not found.failures:
        metric = found.metrics[0]
        values = {name: found.per_seed(name, metric) for name in found.strategies}
        sweeping.confirmed(asked, metric, values, confirm, store, workers, quiet)
    if found.failures:
        runs = len(found.seeds) * len(found.strategies)
        _fail(_("{failed} of {runs} runs failed", failed=len(found.failures), runs=runs), FAILED)


@app.command()
def verify(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped one.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="Only this one of its strategies.")] = None,
    users: Annotated[int | None, typer.Option(metavar="N", min=1, help="With so many people.")] = None,
    days: Annotated[int | None, typer.Option(metavar="D", min=1, help="For so many days.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Other luck; a swarm's first seed.")] = None,
    swarm: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="On N random scenarios, with an audit after every tick.")
    ] = None,
) -> None:
    """Run both engines and say whether they write the same ledger, or the first row in which they differ.

    The scenario and each of its strategies, one after the other. What fails is made small and kept in runs/verify.
    """
    from sim.study import verify as study
    from sim.study.shrink import resized

    if swarm is not None:
        given = {"SCENARIO": scenario, "--strategy": strategy, "--users": users, "--days": days}
        _swarm(swarm, seed or 0, [name for name, value in given.items() if value is not None])
        return
    if scenario is None:
        raise StudyError("name a scenario to verify, or ask for random ones with --swarm N")
    whole = _load(scenario)
    names = [strategy] if strategy is not None else ["", *whole.strategies]
    same: dict[str, str] = {}  # who verifies a scenario, by its digest
    failed = []
    for name in names:
        asked = resized(whole.strategy(name) if name else whole, users, days)
        called = f"strategy {name}" if name else "base"
        before = f"{called}: " if len(names) > 1 else ""
        if asked.digest in same:
            typer.echo(f"{before}the same scenario as {same[asked.digest]}")
            continue
        same[asked.digest] = called
        found = study.verify(asked, seed, told=partial(_step, before))
        typer.echo(f"{before}{found}")
        if not found.equal:
            failed.append(called)
            _write_case(found, scenario, name)
    if failed:
        raise typer.Exit(FAILED)


@app.command()
def trace(
    run: RunArgument,
    user: Annotated[int | None, typer.Option(metavar="N", help="Tell the life of this user.")] = None,
    event: Annotated[
        str | None, typer.Option(metavar="ID", help="Tell why this happened: its id, or the first digits.")
    ] = None,
) -> None:
    """Tell the life of a user, or why an order or any other event happened and what came of it."""
    from sim.ledger.reader import Ledger
    from sim.study.trace import hints, life, story

    if user is not None and event is not None:
        raise StudyError("give --user or --event, not both")
    ledger = Ledger(run)
    typer.echo(life(ledger, user) if user is not None else story(ledger, event) if event is not None else hints(ledger))


@app.command()
def reproduce(run: RunArgument) -> None:
    """Run again from a run's manifest and say whether it is the same run, or on which day it first differs."""
    from sim.study.reproduce import reproduce as again

    found = again(run)
    typer.echo(str(found))
    if not found.same:
        raise typer.Exit(FAILED)


@app.command()
def audit(run: RunArgument) -> None:
    """Check a ledger: money, stock, coupons and points are conserved, and every cause is there."""
    from sim.ledger.audit import audit as check
    from sim.ledger.reader import Ledger

    ledger = Ledger(run)
    try:
        report = check(ledger)
    except LedgerError as error:  # a damaged file; a folder that is no run is wrong input
        _fail(f"wxsim: {error}", FAILED)
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(FAILED)


@app.command()
def lint(file: Annotated[str, typer.Argument(metavar="FILE", help="A scenario file.")]) -> None:
    """Check a scenario and name every fault, and all that would do nothing, without running it."""
    warnings: list[Fault] = []
    try:
        _load(file, warnings.append)
    except ScenarioError as error:
        typer.echo(str(error))
        raise typer.Exit(WRONG) from None
    for warning in warnings:
        typer.echo(f"warning: {warning}")
    typer.echo("no faults" + (f", {len(warnings)} warning{'s' * (len(warnings) > 1)}" if warnings else ""))


@app.command()
def bench(
    users: Annotated[int | None, typer.Option(metavar="N", min=1_000, help="People in the worlds it measures.")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers here too.")] = None,
) -> None:
    """Time this machine: spreading, a bare population, building a world, the full model; in about a minute."""
    from sim.study import folder
    from sim.study.bench import USERS
    from sim.study.bench import bench as measured

    _check_json(json)
    found = measured(users or USERS, lambda step: typer.echo(f"measuring {step} ...", err=True))
    typer.echo(str(found))
    if json is not None:
        folder.write_json(json, found.as_dict())
        typer.echo(f"wrote {json}")


@app.command()
def scenarios() -> None:
    """List the scenarios that come with wxsim."""
    from sim.config import shipped

    _listing((name, _load(name).title) for name in shipped.names())


@app.command()
def mechanisms() -> None:
    """List the mechanisms by their keys in a scenario."""
    from sim import catalog

    _listing((key, catalog.summary(cls)) for key, cls in catalog.mechanisms().items())


@app.command()
def metrics() -> None:
    """List the metrics with their definitions."""
    from sim import catalog
    from sim.metrics.catalog import METRICS
    from sim.metrics.genealogy import KINDS

    seen: dict[str, str] = {}
    for name, metric in METRICS.items():
        what, by, which = name.partition("@")
        kind = "" if not by else "@KIND" if which in KINDS else "@CHANNEL"
        seen.setdefault(what + kind, f"{metric.definition} [{metric.unit}]")
    seen |= {"CHANNEL": "One of " + ", ".join(catalog.channels()), "KIND": "One of " + ", ".join(KINDS)}
    _listing(iter(seen.items()))


# ---------------------------------------------------------------------------------------------------------------


def _load(source: str, warn: Callable[[Fault], None] | None = None) -> "Scenario":
    from sim.config.load import load
    from sim.metrics.catalog import METRICS

    return load(source, metrics=tuple(METRICS), warn=warn)


def _warn(warning: Fault) -> None:
    typer.echo(f"warning: {warning}", err=True)


def _check_json(path: Path | None) -> None:
    """StudyError before any work, if the numbers could not be written there after it."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise StudyError(f"--json {path}: cannot be written there; name a file in a folder that exists")


def _stem(scenario: str) -> str:
    """What a scenario's folders are called after."""
    return Path(scenario).stem or "scenario"


def _fail(said: str, code: int) -> NoReturn:
    typer.echo(said, err=True)
    raise typer.Exit(code)


def _step(before: str, step: str) -> None:
    typer.echo(before + step, err=True)


def _write_case(found: "Verdict", scenario: str, strategy: str) -> None:
    """Write the smallest case as a scenario, and say how to run it."""
    from sim.study import folder, swarm

    named = f"-{folder.slugs([strategy])[strategy]}" if strategy else ""
    file = Path("runs") / "verify" / f"{_stem(scenario)}{named}.yaml"
    swarm.store(found, file, f"The smallest case of {Path(scenario).name}.")
    typer.echo(f"wrote {file}\nonce more: wxsim verify {file}")


def _swarm(count: int, first: int, given: list[str]) -> None:
    """Verify random scenarios one after the other; whatever fails is kept, at the latest when it is interrupted."""
    from sim.study import swarm

    if given:
        raise StudyError(f"a swarm makes its own scenarios; leave out {', '.join(given)}")
    folder, failed = swarm.place(), 0
    try:
        for seed, found in swarm.swarm(range(first, first + count), folder, lambda step: typer.echo(step, err=True)):
            if not found.equal:
                failed += 1
                typer.echo(f"seed {seed}: {found}\nwrote {swarm.kept(seed, folder)}\n{swarm.replay(seed, folder)}")
    except KeyboardInterrupt:
        _fail(f"interrupted; failing cases are kept in {folder}", INTERRUPTED)
    if failed:
        kept = "a test replays it from now on" if folder == swarm.TESTS else f"copy it to {swarm.TESTS} to test it"
        _fail(f"{failed} of {count} cases failed, kept in {folder}: {kept}", FAILED)
    typer.echo(f"both engines wrote the same ledger in {count} cases, seeds {first} to {first + count - 1}")


def _kept(comparison: "Comparison | None") -> str:
    if comparison is None:
        return _("interrupted; nothing was kept")
    finished = sum(int(done.sum()) for done in comparison.done.values())
    return _("interrupted; {finished} finished runs are kept in {folder}", finished=finished, folder=comparison.folder)


def _metrics_of(ledger: Any, scenario: "Scenario") -> Iterator[str]:
    """The standard metrics of one run, for the merchant that the scenario asks about, line by line."""
    from sim.metrics.catalog import METRICS, STANDARD, table
    from sim.study.table import number

    plan = scenario.compare
    names = plan.metrics if plan and plan.metrics else STANDARD
    for name, value in table(ledger, names, scenario.focal).items():
        yield f"{METRICS[name].title[:48]:<48} {number(value):>12}  {METRICS[name].unit}"


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; a second one ends at once, as it always does."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(number, signal.default_int_handler)
        typer.echo("stopping at the end of this day; Ctrl-C again to stop at once and keep nothing", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(what: str, quiet: bool = False, unit: str = marked("days")) -> Iterator[Callable[[int, int], None]]:
    """How far the work is and how long it will take, on stderr, and only for somebody who looks on."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, all_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(f"{{task.completed}}/{{task.total}} {_(unit)}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1)
        yield lambda done, all_: bar.update(task, completed=done, total=all_)


def _listing(rows: Iterator[tuple[str, str]]) -> None:
    """Names and what they mean, in two columns."""
    from textwrap import wrap

    for name, meaning in rows:
        lines = wrap(meaning, WIDTH - 30) or [""]
        typer.echo(f"{name:<29} {lines[0]}" if len(name) < 30 else f"{name}\n{'':<29} {lines[0]}")
        for line in lines[1:]:
            typer.echo(f"{'':<29} {line}")


from sim.cli import new as new  # noqa: E402
from sim.cli import reading as reading  # noqa: E402 (its commands come after those here)
from sim.cli import reporting as reporting  # noqa: E402
from sim.cli import sensitivity as sensitivity  # noqa: E402
from sim.cli import sweeping as sweeping  # noqa: E402
