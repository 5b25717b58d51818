"""Strategies: patches of the scenario by dotted paths.

``full: {extends: store, merchants.tea_house.channels.service_account: {broadcasts_per_month: 4}}`` does first what
`store` does, then lays the mapping on what stands at that path. Mappings are merged, lists and scalars replace;
`false` switches a mechanism off, `{}` or nothing switches it on (and changes nothing if it is on).
A patch may add merchants and products, after those that are there; it never removes one, because the
position of each is its number in all draws.
"""

from collections.abc import Iterator, Mapping, Sequence

from sim.config.advice import did_you_mean
from sim.config.node import Node, find, merge, nest, without
from sim.errors import Fault
from sim.words import _, marked

MAX_STRATEGIES = 200
FIXED = {
    "title": marked("the title names the question; the strategy has a name of its own"),
    "horizon": marked("strategies are compared day by day, over one horizon"),
    "seed": marked("strategies are compared under the same luck"),
    "strategies": marked("a strategy holds no strategies; build on others by `extends`"),
    "compare": marked("there is one comparison, of all strategies"),
    "expects": marked("what is expected is said once, of all strategies"),
}


def expand(base: Node, faults: list[Fault]) -> dict[str, Node]:
    """The scenario under each of its strategies, as trees; faults of the patches themselves are added to `faults`."""
    stated = _stated(base.child("strategies"), faults)
    orders: dict[str, list[str]] = {}
    alone = without(base, "strategies", "compare", "expects")
    return {
        name: _applied(alone, [stated[each] for each in _order(name, stated, orders, (), faults)], faults)
        for name in stated
    }


def _stated(strategies: Node | None, faults: list[Fault]) -> dict[str, Node]:
    """The patches by name."""
    if strategies is None or strategies.value is None:
        return {}
    if not isinstance(strategies.value, Mapping):
        faults.append(strategies.place.fault(_("must be a mapping"), _("write `name: {path: value}`")))
    if len(strategies.children) > MAX_STRATEGIES:
        faults.append(strategies.key.fault(_("more than {count} strategies", count=MAX_STRATEGIES), _("use a sweep")))
        return {}
    for patch in strategies.children.values():
        if patch.value is not None and not isinstance(patch.value, Mapping):
            faults.append(patch.place.fault(_("must be a mapping"), _("write `{path: value}`; `{}` changes nothing")))
    return dict(strategies.children)


def _order(
    name: str, stated: Mapping[str, Node], orders: dict[str, list[str]], below: tuple[str, ...], faults: list[Fault]
) -> list[str]:
    """The strategies to apply, each once: what `name` extends, in that order, then itself."""
    if name not in orders:
        order: list[str] = []
        for parent in _parents(stated[name], faults):
            if parent.value not in stated:
                faults.append(parent.place.fault(_("is not a strategy"), did_you_mean(str(parent.value), stated)))
            elif parent.value in (*below, name):
                faults.append(parent.place.fault(_("strategies extend one another in a circle"), _("break it")))
            else:
                before = _order(str(parent.value), stated, orders, (*below, name), faults)
                order += [each for each in before if each not in order]
        orders[name] = [*order, name]
    return orders[name]


def _parents(patch: Node, faults: list[Fault]) -> list[Node]:
    """What a patch says in `extends`: a name or a list of names."""
    extends = patch.child("extends")
    if extends is None or extends.value is None:
        return []
    names = list(extends.value) if isinstance(extends.value, tuple) else [extends]
    for name in names:
        if not isinstance(name.value, str):
            faults.append(name.place.fault(_("must name a strategy"), _("write a name, or a list of names")))
    return [name for name in names if isinstance(name.value, str)]


def _applied(tree: Node, patches: Sequence[Node], faults: list[Fault]) -> Node:
    """The tree with the patches laid on it, one after the other."""
    for patch in patches:
        for key, leaf in patch.children.items():
            if key == "extends":
                continue
            path = key.split(".")
            addition = nest(path, leaf)
            wrong = [*_fixed(path, leaf), *_astray(tree, path, leaf)] or [*_lost(tree, addition)]
            faults += wrong
            tree = tree if wrong else merge(tree, addition)
    return tree


def _fixed(path: Sequence[str], leaf: Node) -> Iterator[Fault]:
    """What no strategy may change."""
    if path[0] in FIXED:
        yield leaf.key.fault(_("a strategy cannot change `{key}`", key=path[0]), _(FIXED[path[0]]))


def _astray(tree: Node, path: Sequence[str], leaf: Node) -> Iterator[Fault]:
    """A dotted path leads to a merchant or product that is there; only its last word may be new."""
    if path[0] != "merchants":
        return
    for depth, said in ((2, marked('there is no merchant "{name}"')), (4, marked('there is no product "{name}"'))):
        holder = find(tree, *path[: depth - 1])
        if len(path) > depth and holder is not None and holder.child(path[depth - 1]) is None:
            if depth == 2 or path[2] == "products":
                yield leaf.key.fault(_(said, name=path[depth - 1]), did_you_mean(path[depth - 1], holder.children))
            return


def _lost(tree: Node, addition: Node) -> Iterator[Fault]:
    """A patch removes no merchant or product, and a merchant that it names anew is a whole one."""
    for path, node in _holders(addition):
        there = find(tree, *path)
        if there is not None and node.value is not None and not isinstance(node.value, Mapping):
            yield node.place.fault(
                _("a strategy cannot remove merchants or products"), _("set its stock to 0 or switch its channels off")
            )
        elif there is None and len(path) == 2 and node.child("products") is None:
            merchants = find(tree, "merchants") or node
            known = did_you_mean(path[1], merchants.children)
            yield node.key.fault(
                _('there is no merchant "{name}"', name=path[1]),
                _("{known} (a new merchant states its products)", known=known),
            )


def _holders(addition: Node) -> Iterator[tuple[tuple[str, ...], Node]]:
    """The mappings that hold merchants and products, and each merchant and product, in a patch."""
    merchants = addition.child("merchants")
    if merchants is None:
        return
    yield ("merchants",), merchants
    for name, merchant in merchants.children.items():
        yield ("merchants", name), merchant
        if products := merchant.child("products"):
            yield ("merchants", name, "products"), products
            for product, node in products.children.items():
                yield ("merchants", name, "products", product), node
