"""Load a scenario: read, merge, check everything once, report every fault at once."""

import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.config import checks, idle, sources, strategies
from sim.config.faults import translate
from sim.config.model import Scenario
from sim.config.node import Node, plain, without
from sim.config.sections import switched
from sim.errors import Fault, ScenarioError
from sim.world.params import WorldParams

Known = frozenset[tuple[object, ...]]  # errors of the scenario itself, not to be told again for each strategy


def load(
    source: str | Path, metrics: Collection[str] | None = None, warn: Callable[[Fault], None] | None = None
) -> Scenario:
    """The scenario of a file or of a shipped name, with all its strategies, ready to run.

    `metrics` are the names that `compare` may use; None leaves them unchecked. Raises `ScenarioError` with every
    fault, in the order of files and lines. `warn` is told what the scenario states that does nothing there.
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
    if warn is not None:
        made = {name: (variants[name], strategy) for name, strategy in patched.items() if strategy is not None}
        for warning in idle.warnings(made or {"": (tree, base)}):
            warn(warning)
    accustomed = {name: _accustomed(scenario, base) for name, scenario in patched.items() if scenario is not None}
    return base.model_copy(update={"strategies": accustomed})


def _accustomed(strategy: Scenario, base: Scenario) -> Scenario:
    """The strategy among people who are used to the prices of the scenario without it."""
    merchants = {}
    for name, merchant in strategy.merchants.items():
        before = base.merchants[name].products if name in base.merchants else {}
        repriced = [k for k, product in merchant.products.items() if k in before and product.price != before[k].price]
        products = {
            key: product.model_copy(update={"customary_price": product.customary_price or before[key].price})
            if key in repriced
            else product
            for key, product in merchant.products.items()
        }
        merchants[name] = merchant.model_copy(update={"products": products})
    return strategy.model_copy(update={"merchants": merchants})


def _validated(tree: Node, faults: list[Fault], known: Known) -> tuple[Scenario | None, Known]:
    """The scenario of a tree, or its faults; what is `known`, or stands where a fault was noted, is not told again."""
    data = switched(plain(tree))
    found = [*checks.graph_file(tree, data), *checks.links(tree)]
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
