"""Commands that list what there is: ``wxsim scenarios``, ``mechanisms`` and ``metrics``."""

from typing import Any

from sim.cli import app
from sim.cli.options import JsonOption, QuietOption
from sim.cli.terminal import Answer, listing, load
from sim.words import _, told


@app.command()
def scenarios(json: JsonOption = None, quiet: QuietOption = False) -> None:
    """List the scenarios that come with wxsim."""
    from sim.config import shipped

    answer = Answer(json, quiet)
    found = {name: load(name) for name in shipped.names()}
    listing(answer, ((name, told(made.title)) for name, made in found.items()))
    answer.wrote(answer.give("scenarios", {"scenarios": {name: _scenario(made) for name, made in found.items()}}))


@app.command()
def mechanisms(json: JsonOption = None, quiet: QuietOption = False) -> None:
    """List the mechanisms by their keys in a scenario."""
    from sim import catalog

    answer = Answer(json, quiet)
    found = {key: catalog.summary(cls) for key, cls in catalog.mechanisms().items()}
    listing(answer, ((key, told(what)) for key, what in found.items()))
    answer.wrote(answer.give("mechanisms", {"mechanisms": {key: {"summary": what} for key, what in found.items()}}))


@app.command()
def metrics(json: JsonOption = None, quiet: QuietOption = False) -> None:
    """List the metrics with their definitions."""
    from sim import catalog
    from sim.metrics.catalog import METRICS
    from sim.metrics.genealogy import KINDS

    answer, seen = Answer(json, quiet), dict[str, str]()
    for name, metric in METRICS.items():
        what, by, which = name.partition("@")
        kind = "" if not by else "@KIND" if which in KINDS else "@CHANNEL"
        said = _("{definition} [{unit}]", definition=told(metric.definition), unit=told(metric.unit))
        seen.setdefault(what + kind, said)
    for name, known in (("CHANNEL", catalog.channels()), ("KIND", KINDS)):
        seen[name] = _("One of {names}", names=", ".join(known))
    listing(answer, seen.items())
    answer.wrote(answer.give("metrics", {"metrics": {name: metric.as_dict() for name, metric in METRICS.items()}}))


def _scenario(made: Any) -> dict[str, Any]:
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
