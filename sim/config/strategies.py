"""Strategies: patches of the scenario by dotted paths.

``full: {extends: store, merchants.tea_house.channels.service_account: {broadcasts_per_month: 4}}`` first does what
`store` does, then lays the mapping on what stands at that path. Mappings are merged, lists and scalars replace,
`false` switches a mechanism off, `{}` or nothing switches it on with its defaults (and changes nothing if it is on).
A patch may add merchants and products, after those that are there; it never removes one, because the
position of each is its number in all draws.
"""

from collections.abc import Iterator, Sequence

from sim.config.advice import did_you_mean
from sim.config.node import Node, Place, find, merge, nest
from sim.errors import Fault

FIXED = {
    "title": "the title names the question, not an answer",
    "horizon": "strategies are compared day by day over one horizon",
    "seed": "strategies are compared under the same luck",
    "strategies": "a strategy holds no strategies; use `extends`",
    "compare": "the comparison is of all strategies",
}


def expand(base: Node, faults: list[Fault]) -> dict[str, Node]:
    """The patched tree of each strategy in `base`. Strategies with a fault in their `extends` are left out."""
    strategies = base.child("strategies")
    if strategies is None or strategies.value is None:
        return {}
    if not strategies.children and strategies.value != {}:
        faults.append(strategies.place.fault("must be a mapping", "write `name: {path: value}`"))
    patches = {name: node for name, node in strategies.children.items() if _is_patch(node, faults)}
    parents = {name: _parents(node, strategies.children, faults) for name, node in patches.items()}
    trees = {}
    for name in patches:
        order: list[str] = []
        if _linearise(name, parents, (), order, patches[name].key, faults):
            trees[name] = _patched(base, [patches[each] for each in order], faults)
    return trees


def _is_patch(node: Node, faults: list[Fault]) -> bool:
    good = node.value is None or isinstance(node.value, dict)
    if not good:
        faults.append(node.place.fault("must be a mapping", "write `{path: value}`, or `{}` for the scenario as it is"))
    return good


def _parents(node: Node, known: "dict[str, Node] | object", faults: list[Fault]) -> list[str]:
    raise AssertionError


def _linearise(
    name: str,
    parents: dict[str, list[str]],
    below: tuple[str, ...],
    order: list[str],
    place: Place,
    faults: list[Fault],
) -> bool:
    return True


def _patched(base: Node, patches: Sequence[Node], faults: list[Fault]) -> Node:
    return base
