"""Checks across a scenario that no single model can make: names that must exist, files that must be there."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sim.config import shipped
from sim.config.advice import did_you_mean, parted
from sim.config.node import Node, find, nearest
from sim.config.sources import is_file
from sim.errors import Fault
from sim.words import _, marked
from sim.world.params import WorldParams

_COMBINED = (("compare", "synergy"), ("strategies",), ("compare", "baseline"))


def comparison(tree: Node, metrics: Collection[str] | None) -> Iterator[Fault]:
    """Names in `compare`: the baseline is a strategy, the merchant is one of the market, the metrics exist."""
    names = {"baseline": ("strategies", marked("a strategy")), "merchant": ("merchants", marked("a merchant"))}
    for key, (holder, what) in names.items():
        node, known = find(tree, "compare", key), tree.child(holder)
        words = known.children if known else {}
        if node is not None and isinstance(node.value, str) and node.value not in words:
            yield node.place.fault(
                _('"{value}" is not {what}', value=node.value, what=_(what)), did_you_mean(node.value, words)
            )
    yield from _synergy(tree)
    yield from _expected(tree, metrics)
    listed = find(tree, "compare", "metrics")
    for node in listed.value if listed is not None and isinstance(listed.value, tuple) else ():
        if metrics is not None and isinstance(node.value, str) and node.value not in metrics:
            yield node.place.fault(
                _('"{value}" is not a metric', value=node.value), did_you_mean(node.value, sorted(metrics))
            )


def _synergy(tree: Node) -> Iterator[Fault]:
    """A strategy that combines others, and those others, are strategies; and none of them is the baseline."""
    combined, strategies, baseline = (find(tree, *path) for path in _COMBINED)
    named = strategies.children if strategies else {}
    known = [name for name in named if baseline is None or name != baseline.value]
    for name, parts in (combined.children if combined is not None else {}).items():
        listed = parts.value if isinstance(parts.value, tuple) else ()
        for node, word in [(parts.key, name), *((node.place, node.value) for node in listed)]:
            if isinstance(word, str) and word not in known:
                yield node.fault(
                    _('"{word}" is not a strategy beside the baseline', word=word), did_you_mean(word, known)
                )


def _expected(tree: Node, metrics: Collection[str] | None) -> Iterator[Fault]:
    """Names in `expects`: strategies and metrics; the baseline is compared with something else than itself."""
    listed, strategies, baseline = (find(tree, *path) for path in (("expects",), *_COMBINED[1:]))
    known = {"a strategy": [*strategies.children] if strategies else []}
    if metrics is not None:
        known[marked("a metric")] = sorted(metrics)
    keys = {"metric": "a metric", "per": "a metric", "strategy": "a strategy", "than": "a strategy"}
    for claim in listed.value if listed is not None and isinstance(listed.value, tuple) else ():
        named = {key: _listed(claim.child(key)) for key in keys}
        for key, what in keys.items():
            for node in named[key] if what in known else ():
                if isinstance(node.value, str) and node.value not in known[what]:
                    yield node.place.fault(
                        _('"{value}" is not {what}', value=node.value, what=_(what)),
                        did_you_mean(node.value, known[what]),
                    )
        others = named["than"] or _listed(baseline)
        for node in named["strategy"]:
            if claim.child("between") is None and [other.value for other in others] == [node.value]:
                yield node.place.fault(
                    _('"{value}" is compared with itself', value=node.value), _("name another strategy in `than`")
                )


def _listed(node: Node | None) -> tuple[Node, ...]:
    """The entries of a list; what is no list is its only entry."""
    return () if node is None else node.value if isinstance(node.value, tuple) else (node,)


def links(tree: Node) -> Iterator[Fault]:
    """Merchants whose goods an article may show (`linked`) are merchants of the market."""
    market = tree.child("merchants")
    words = market.children if market else {}
    for merchant in words.values():
        listed = find(merchant, "channels", "articles", "linked")
        for node in listed.value if listed is not None and isinstance(listed.value, tuple) else ():
            if isinstance(node.value, str) and node.value not in words:
                yield node.place.fault(
                    _('"{value}" is not a merchant', value=node.value), did_you_mean(node.value, words)
                )


def graph_file(tree: Node, data: dict[str, Any]) -> Iterator[Fault]:
    """Make the path of a graph file absolute: relative to the scenario file that states it, or to the shipped data."""
    node = find(tree, "world", "graph", "file")
    if node is None or not isinstance(node.value, str):
        return
    places = (Path(node.place.file).parent / node.value, shipped.root() / node.value)
    found = next((path for path in places if is_file(path)), None)
    if found is None:
        yield node.place.fault(
            _('there is no file "{value}"', value=node.value),
            _("looked for {first} and {second}", first=places[0], second=places[1]),
        )
    else:
        data["world"]["graph"]["file"] = str(found.resolve())


def graph(tree: Node, params: WorldParams) -> Iterator[Fault]:
    """A graph from a file or a networkx generator can be had, and is on as many people as the world has."""
    source = "networkx" if params.graph.networkx is not None else "file"
    if getattr(params.graph, source) is None:
        return
    from sim.world.sources import check  # networkx takes a third of a second to import

    node, _ = nearest(tree, ("world", "graph", source))
    try:
        check(params)
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        yield node.key.fault(*parted(str(error)))  # a generator may raise anything on arguments that it is given
