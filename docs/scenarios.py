"""Write docs/scenarios: every shipped scenario at its full size: what was expected, what came out, the trap.

    python -m docs.scenarios [NAME ...] [--workers N]

Without names all pages are written. A page names the scenario and the model that it was made of (`stamp`), so that a
test tells when it is stale.
"""

import argparse
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from sim.config.load import load
from sim.config.model import Scenario
from sim.config.shipped import names
from sim.study.compare import compare
from sim.study.comparison import Comparison
from sim.study.expectation import FAILED, HELD, OPEN, Judged
from sim.study.table import table
from tests.fingerprints.move import CHANGELOG, reason

PAGES = Path(__file__).parent / "scenarios"


def shipped() -> dict[str, Scenario]:
    """The shipped scenarios that ask a question, by name."""
    return {name: made for name in names() if (made := load(name)).compare is not None}


def stamp(scenario: Scenario) -> str:
    """A word for the scenario with all its strategies, and for the last change of results."""
    parts = [scenario.digest, {name: made.digest for name, made in scenario.strategies.items()}]
    asked = scenario.compare.model_dump(mode="json") if scenario.compare else None
    claims = [claim.model_dump(mode="json") for claim in scenario.expects]
    words = [scenario.expectation, claims, scenario.trap, reason(CHANGELOG.read_text("utf-8"))]
    text = json.dumps([*parts, asked, *words])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def page(name: str, scenario: Scenario, found: Comparison) -> str:
    """The page of a scenario, given its comparison."""
    horizon, people = scenario.horizon, scenario.world.people.count
    size = f"{people:,} people, {horizon.days} days from {horizon.start}"
    lines = [
        f"# {scenario.title}",
        f"`wxsim compare scenarios/{name}.yaml`: {size}.",
        "## Expected, before running",
        scenario.expectation.strip(),
        "## Found",
        f"```\n{table(replace(found, expects=())).rstrip()}\n```",
        f"![differences to the baseline, seed by seed]({name}.png)",
        "## What of the expectation held",
        outcome(found.judged),
        "## The trap",
        scenario.trap.strip(),
        f"---\n\nWritten by `make scenarios`; stamp {stamp(scenario)}.",
    ]
    return "\n\n".join(lines) + "\n"


def outcome(judged: Sequence[Judged]) -> str:
    """How many claims of the expectation held, then each, those that did not hold first."""
    order = (FAILED, OPEN, HELD)
    count = Counter(claim.verdict for claim in judged)
    told = (f"{count[FAILED]} did not hold", f"{count[OPEN]} cannot be told with these seeds", f"{count[HELD]} held")
    lines = [f"- {claim}" for verdict in order for claim in judged if claim.verdict == verdict]
    return f"Of {len(judged)} claims {told[0]}, {told[1]}, {told[2]}.\n\n" + "\n".join(lines)


def write(name: str, scenario: Scenario, workers: int | None) -> None:
    """Run a comparison at full size and write its page."""
    with tempfile.TemporaryDirectory() as folder:
        found = compare(scenario, workers=workers, out=Path(folder) / "found")
        if found.failures:
            raise SystemExit(f"{name}: {found.failures[0].error}")
        PAGES.mkdir(exist_ok=True)
        shutil.copyfile(found.folder / "differences.png", PAGES / f"{name}.png")
        (PAGES / f"{name}.md").write_text(page(name, scenario, found), "utf-8")


def index(scenarios: dict[str, Scenario]) -> str:
    """The list of all pages."""
    lines = [f"- [{made.title}]({name}.md) (`{name}`)" for name, made in scenarios.items()]
    intro = (
        "Questions, each with what was expected, what came out, what of the expectation held, and a trap. Made by "
        "`make scenarios`. The claims (`expects` in a scenario) put an expectation's words into numbers; for the "
        "scenarios here that was done after a first run, the words are older."
    )
    return f"# Scenarios\n\n{intro}\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages asked for, and the list."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="scenarios; by default all")
    parser.add_argument("--workers", type=int)
    asked, scenarios = parser.parse_args(), shipped()
    for name in asked.names or scenarios:
        print(name, flush=True)
        write(name, scenarios[name], asked.workers)
    (PAGES / "index.md").write_text(index(scenarios), "utf-8")


if __name__ == "__main__":
    main()
