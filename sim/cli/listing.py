"""Commands that list what there is: ``wxsim scenarios``, ``mechanisms`` and ``metrics``."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli import app, completing
from sim.cli.options import JsonOption, QuietOption
from sim.cli.terminal import Answer, listing, load
from sim.errors import StudyError
from sim.words import _, told

if TYPE_CHECKING:
    from sim.config.model import Scenario


@app.command()
def scenarios(json: JsonOption = None, quiet: QuietOption = False) -> None:
    """List the scenarios that come with wxsim."""
    from sim.config import shipped

    answer = Answer(json, quiet)
    found = {name: load(name) for name in shipped.names()}
    listing(answer, ((name, told(made.title)) for name, made in found.items()))
    answer.wrote(answer.give("scenarios", {"scenarios": {name: _scenario(made) for name, made in found.items()}}))


@app.command()
def mechanisms(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these.", autocompletion=completing.mechanisms),
    ] = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """List the mechanisms by their keys in a scenario."""
    from sim import catalog

    answer = Answer(json, quiet)
    known = catalog.mechanisms()
    found = {key: catalog.summary(known[key]) for key in _chosen(names, known)}
    listing(answer, ((key, told(what)) for key, what in found.items()))
    answer.wrote(answer.give("mechanisms", {"mechanisms": {key: {"summary": what} for key, what in found.items()}}))


@app.command()
def metrics(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these.", autocompletion=completing.metrics),
    ] = None,
    json: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """List the metrics with their definitions."""
    from sim import catalog
    from sim.metrics.catalog import METRICS
    from sim.metrics.genealogy import KINDS

    answer, found = Answer(json, quiet), {name: METRICS[name] for name in _chosen(names, METRICS)}
    seen: dict[str, str] = {}
    for name, metric in found.items():
        what, by, which = name.partition("@")
        kind = "" if not by else "@KIND" if which in KINDS else "@CHANNEL"
        said = _("{definition} [{unit}]", definition=told(metric.definition), unit=told(metric.unit))
        seen.setdefault(name if names else what + kind, said)
    if not names:
        for name, each in (("CHANNEL", catalog.channels()), ("KIND", KINDS)):
            seen[name] = _("One of {names}", names=", ".join(each))
    listing(answer, seen.items())
    answer.wrote(answer.give("metrics", {"metrics": {name: metric.as_dict() for name, metric in found.items()}}))


def _chosen(names: list[str] | None, known: Collection[str]) -> list[str]:
    """Names that there are; StudyError for one that there is not."""
    from sim.config.advice import did_you_mean

    for name in names or ():
        if name not in known:
            raise StudyError(_("{name}: there is none; {hint}", name=name, hint=did_you_mean(name, known)))
    return names or list(known)


def _scenario(made: "Scenario") -> dict[str, Any]:
    """What a scenario asks."""
    asked = made.compare
    return {
        "title": made.title,
        "expectation": made.expectation,
        "strategies": list(made.strategies),
        "baseline": asked.baseline if asked else None,
        "people": made.world.people.count,
        "days": made.horizon.days,
    }
