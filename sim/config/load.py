"""Load a scenario: read, merge, check everything once, report every fault at once."""

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.config import checks, sources, strategies
from sim.config.faults import translate
from sim.config.model import Scenario
from sim.config.node import Node, plain, without
from sim.config.sections import switched
from sim.errors import Fault, ScenarioError
from sim.world.params import WorldParams

Known = frozenset[tuple[object, ...]]  # errors of the scenario itself, not to be told again for each strategy


def load(source: str | Path, metrics: Collection[str] | None = None) -> Scenario:
    """The scenario of a file or of a shipped name, with all its strategies, ready to run.

    `metrics` are the names that `compare` may use; None leaves them unchecked. Raises `ScenarioError` with every
    fault, in the order of files and lines.
    """
    tree, faults = sources.read(source)
    if tree is None:
        raise _error(faults)
    faults += checks.comparison(tree, metrics)
    variants = strategies.expand(tree, faults)
    base, known = _validated(without(tree, "strategies"), faults, frozenset())
    patched = {name: _validated(variant, faults, known)[0] for name, variant in variants.items()}
    _check_graphs([(tree, base), *((variants[name], scenario) for name, scenario in patched.items())], faults)
    if base is None or faults:
        raise _error(faults)
    return base.model_copy(update={"strategies": patched})


def _validated(tree: Node, faults: list[Fault], known: Known) -> tuple[Scenario | None, Known]:
    """The scenario of a tree, or its faults; what is `known`, or stands where a fault was noted, is not told again."""
    data = switched(plain(tree))
    found = list(checks.graph_file(tree, data))
    errors: dict[tuple[object, ...], Any] = {}
    scenario = None
    try:
        scenario = Scenario.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as invalid:
        errors = {
            (error["loc"], error["type"], "" if error["type"] == "missing" else repr(error["input"])): error
            for error in invalid.errors(include_url=False)
        }
    found += translate((error for key, error in errors.items() if key not in known), tree)
    noted = {(fault.file, fault.line, fault.column) for fault in faults}
    faults += [fault for fault in found if (fault.file, fault.line, fault.column) not in noted]
    return None if found else scenario, frozenset(errors)


def _check_graphs(made: Iterable[tuple[Node, Scenario | None]], faults: list[Fault]) -> None:
    """Try each distinct graph once: to make one may take seconds."""
    tried: list[WorldParams] = []
    for tree, scenario in made:
        if scenario is not None and scenario.world not in tried:
            tried.append(scenario.world)
            faults += checks.graph(tree, scenario.world)


def _error(faults: list[Fault]) -> ScenarioError:
    distinct = dict.fromkeys(faults)
    return ScenarioError(sorted(distinct, key=lambda fault: (fault.file, fault.line, fault.column, fault.where)))
