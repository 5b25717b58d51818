"""Commands that check: ``wxsim verify``, ``reproduce``, ``audit``, ``lint`` and ``bench``."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import app, completing
from sim.cli.options import JsonOption, QuietOption, RunArgument, SeedOption, StrategyOption
from sim.cli.terminal import FAILED, WRONG, Answer, Progress, fail, interrupted, load, progress, stem
from sim.errors import Fault, LedgerError, ScenarioError, StudyError
from sim.words import ENGLISH, _, marked, several, speaking

if TYPE_CHECKING:
    from sim.config.model import Scenario


@app.command()
def verify(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="SCENARIO",
            help="A scenario file, or the name of a shipped one.",
            autocompletion=completing.scenarios,
        ),
    ] = None,
    strategy: StrategyOption = None,
    users: Annotated[int | None, typer.Option(metavar="N", min=1, help="With so many people.")] = None,
    days: Annotated[int | None, typer.Option(metavar="D", min=1, help="For so many days.")] = None,
    seed: SeedOption = None,
    swarm: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="On N random scenarios, with an audit after every tick.")
    ] = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Check that both engines write the same ledger.

    The scenario and each of its strategies, one after the other, or random scenarios from --seed on. If they differ,
    the first row in which they do is told, in a small case that is kept in runs/verify.
    """
    from sim.study.shrink import resized

    answer = Answer(json, quiet)
    if swarm is not None:
        given = {"SCENARIO": scenario, "--strategy": strategy, "--users": users, "--days": days}
        _swarm(swarm, seed or 0, [name for name, value in given.items() if value is not None], answer)
        return
    if scenario is None:
        raise StudyError(_("name a scenario to verify, or ask for random ones with --swarm N"))
    whole = load(scenario)
    names = [strategy] if strategy is not None else ["", *whole.strategies]
    cases = {name: resized(whole.strategy(name) if name else whole, users, days) for name in names}
    same: dict[str, str] = {}  # who verifies a scenario, by its digest
    found: list[dict[str, Any]] = []
    with interrupted(_("interrupted; what was told is true, and failing cases are kept in runs/verify")):
        for name, asked in cases.items():
            called = _("strategy {name}", name=name) if name else _("base")
            before = _("{called}: ", called=called) if len(names) > 1 else ""
            if asked.digest in same:
                answer.say(before + _("the same scenario as {other}", other=same[asked.digest]))
                continue
            same[asked.digest] = called
            found.append({"strategy": name, **_verified(asked, seed, scenario, name, before, answer)})
    equal = all(each["equal"] for each in found)
    seed = whole.seed if seed is None else seed
    answer.wrote(answer.give("verify", {"scenario": whole.title, "seed": seed, "equal": equal, "cases": found}))
    if not equal:
        raise typer.Exit(FAILED)


@app.command()
def reproduce(run: RunArgument, json: JsonOption = None, quiet: QuietOption = False) -> None:
    """Run again from a run's manifest, and compare.

    It is the same run, or it is told on which day it first differs, and what was counted on that day.
    """
    from sim.ledger.reader import Ledger
    from sim.study.executor import heard
    from sim.study.reproduce import reproduce as again

    answer = Answer(json, quiet)
    days = int(Ledger(run).manifest["days"])
    with progress(_("building the world"), quiet) as advance, heard(partial(_simulated, advance, days)):
        found = again(run)
    answer.say(str(found))
    answer.wrote(answer.give("reproduce", {"folder": str(run), **found.as_dict()}))
    if not found.same:
        raise typer.Exit(FAILED)


@app.command()
def audit(run: RunArgument, json: JsonOption = None, quiet: QuietOption = False) -> None:
    """Check that a ledger conserves money, stock and all else.

    Money, stock, coupons and points are conserved, every cause is there, every gift and order has ended.
    """
    from sim.ledger.audit import audit as check
    from sim.ledger.reader import Ledger

    answer, ledger = Answer(json, quiet), Ledger(run)
    try:
        with progress(_("checking"), quiet, marked("checks")) as advance:
            report = check(ledger, advance)
    except LedgerError as error:  # a damaged file; a folder that is no run is wrong input
        fail(f"wxsim: {error}", FAILED)
    answer.say(str(report))
    answer.wrote(answer.give("audit", {"folder": str(run), **report.as_dict()}))
    if not report.ok:
        raise typer.Exit(FAILED)


@app.command()
def lint(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A scenario file.", autocompletion=completing.scenarios)],
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Name every fault of a scenario, without running it.

    Each stands in a line of its own with its place; warnings name what would do nothing.
    """
    answer = Answer(json, quiet)
    faults, warnings = _linted(file)
    with speaking(ENGLISH):  # for programs
        said = (faults, warnings) if json is None else _linted(file)
    found = {name: [asdict(each) for each in of] for name, of in zip(("faults", "warnings"), said, strict=True)}
    wrote = answer.give("lint", {"file": file, "ok": not faults, **found})
    for fault in faults:
        answer.say(str(fault), whole=True)
    for warning in () if faults else warnings:
        answer.say(_("warning: {what}", what=warning), whole=True)
    if not faults:
        more = several("no faults, {count} warning", "no faults, {count} warnings", len(warnings))
        answer.say(more if warnings else _("no faults"))
    answer.wrote(wrote)
    if faults:
        raise typer.Exit(WRONG)


def _linted(file: str) -> tuple[Sequence[Fault], Sequence[Fault]]:
    """Faults of a scenario, and warnings."""
    warnings = list[Fault]()
    try:
        load(file, warnings.append)
    except ScenarioError as error:
        return error.faults, warnings
    return (), warnings


@app.command()
def bench(
    users: Annotated[int | None, typer.Option(metavar="N", min=1_000, help="People in the worlds it measures.")] = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Time this machine, in about a minute.

    Measured are spreading, a bare population, building a world and the full model, compiled and not.
    """
    from sim.study.bench import USERS
    from sim.study.bench import bench as measured

    answer = Answer(json, quiet)
    with progress(_("timing"), quiet, lines=True) as advance:
        found = measured(users or USERS, lambda step: advance.step(_("measuring {step} ...", step=step)))
    answer.say(str(found))
    answer.wrote(answer.give("bench", found.as_dict()))


def _verified(
    asked: "Scenario", seed: int | None, scenario: str, strategy: str, before: str, answer: Answer
) -> dict[str, Any]:
    """Verify one case, tell the verdict and write down what fails; the verdict for JSON."""
    from sim.study import folder, swarm
    from sim.study import verify as study
    from sim.study.executor import heard

    with progress("", answer.quiet, lines=True) as advance:
        twice = partial(_counted, advance, 2 * asked.horizon.days)
        with heard(twice):
            found = study.verify(asked, seed, told=lambda step: advance.step(before + step))
    answer.say(f"{before}{found}")
    file = None
    if not found.equal:
        named = f"-{folder.slugs([strategy])[strategy]}" if strategy else ""
        file = Path("runs") / "verify" / f"{stem(scenario)}{named}.yaml"
        swarm.store(found, file, f"The smallest case of {Path(scenario).name}.")
        answer.wrote([file])
        answer.say(_("once more: {command}", command=f"wxsim verify {file}"), whole=True)
    return {**found.as_dict(), "case": str(file) if file else None}


def _swarm(count: int, first: int, given: list[str], answer: Answer) -> None:
    """Verify random scenarios one after the other; whatever fails is kept, at the latest when it is interrupted."""
    from sim.study import swarm

    if given:
        raise StudyError(_("a swarm makes its own scenarios; leave out {given}", given=", ".join(given)))
    folder, failed = swarm.place(), list[dict[str, Any]]()
    with (
        interrupted(_("interrupted; failing cases are kept in {folder}", folder=folder)),
        progress("", answer.quiet, marked("cases"), lines=True) as advance,
    ):
        for seed, found in swarm.swarm(range(first, first + count), folder, advance.step):
            advance(seed + 1 - first, count)
            if not found.equal:
                case = swarm.kept(seed, folder)
                failed.append({"seed": seed, **found.as_dict(), "case": str(case)})
                answer.say(_("seed {seed}: {found}", seed=seed, found=found))
                answer.wrote([case])
                answer.say(swarm.replay(seed, folder), whole=True)
    wrote = answer.give("swarm", {"first": first, "count": count, "equal": not failed, "failed": failed})
    if failed:
        answer.wrote(wrote)
        kept = _("a test replays it from now on")
        if folder != swarm.TESTS:
            kept = _("copy it to {folder} to test it", folder=swarm.TESTS)
        said = _("{failed} of {count} cases failed, kept in {folder}", failed=len(failed), count=count, folder=folder)
        fail(_("{said}: {kept}", said=said, kept=kept), FAILED)
    answer.say(
        _(
            "both engines wrote the same ledger in {count} cases, seeds {first} to {last}",
            count=count,
            first=first,
            last=first + count - 1,
        )
    )
    answer.wrote(wrote)


def _simulated(advance: Progress, days: int, done: int) -> None:
    """A day more of a run is done."""
    advance.step(_("simulating"))
    advance(min(done, days), days)


def _counted(advance: Progress, days: int, done: int) -> None:
    """A day more is done of a step that may have others before it."""
    if done <= days:
        advance(done, days)
