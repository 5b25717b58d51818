"""What led to what: trees of shares and gifts, their sizes, and the largest told as a story."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.ledger.reader import Ledger
from sim.metrics.genealogy import KINDS, genealogy
from sim.report.material import Cell, Material
from sim.report.shape import Figure, Line, mean, number
from sim.study.trace import story
from sim.units import I64
from sim.words import _, marked

SIZES = (
    "1",
    "2",
    marked("3 to 4"),
    marked("5 to 8"),
    marked("9 to 16"),
    marked("17 or more"),
)  # of a tree, in shares or gifts
_EDGES = (1, 2, 3, 5, 9, 17)
WHAT = {
    "shares": marked("Trees of shares"),
    "gifts": marked("Trees of gifts"),
    "promotions": marked("Trees of promotions"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """The trees of one kind in one run: their sizes, the deepest, and the event that began the largest."""

    sizes: I64
    depth: int
    first: int


def look(cell: Cell, ledger: Ledger, material: Material) -> Mapping[str, Trees]:
    """The trees of each kind that the run has any of."""
    out = {}
    for kind in KINDS:
        found = genealogy(ledger, kind, material.comparison.merchant or None)
        sizes = found.trees.sizes
        if sizes.size:
            roots = (found.trees.parent < 0).nonzero()[0]
            first = int(found.nodes["event"][roots[sizes.argmax()]])
            out[kind] = Trees(sizes, int(found.trees.depth.max()), first)
    return out


def tell(material: Material, found: Mapping[Cell, Mapping[str, Trees]]) -> dict[str, Any]:
    """By kind: how many trees of each size, a line of numbers by strategy, and a story."""
    kinds = [kind for kind in KINDS if any(kind in run for run in found.values())]
    return {"kinds": [_kind(material, found, kind) for kind in kinds]}


def _kind(material: Material, found: Mapping[Cell, Mapping[str, Trees]], kind: str) -> dict[str, Any]:
    lines, rows = [], []
    most = max(int(run[kind].sizes.max()) for run in found.values() if kind in run)
    classes = max(int(np.searchsorted(_EDGES, most, side="right")), 2)  # the rest is empty
    for name, own in material.by_strategy(found).items():
        runs = [run.get(kind) for run in own.values()]
        if not runs:
            continue
        counts = [_by_size(trees.sizes) if trees else np.zeros(len(SIZES), np.int64) for trees in runs]
        lines.append(Line(name, tuple(mean(column) for column in np.transpose(counts)[:classes])))
        rows.append(_row(name, [trees for trees in runs if trees], len(runs)))
    cell, largest = max(
        ((cell, run[kind]) for cell, run in found.items() if kind in run),
        key=lambda each: (int(each[1].sizes.max()), -each[0].number, each[0].strategy),
    )
    return {
        "kind": kind,
        "figure": Figure(
            f"trees-{kind}",
            "bars",
            _(WHAT[kind]),
            _("size"),
            _("trees per run"),
            tuple(map(_, SIZES[:classes])),
            tuple(lines),
        ),
        "rows": rows,
        "story": {
            "strategy": cell.strategy,
            "seed": cell.seed,
            "place": cell.place,
            "size": int(largest.sizes.max()),
            "event": f"{largest.first:016x}",
            "told": _story(cell, largest.first),
        },
    }


def _by_size(sizes: I64) -> I64:
    """How many trees there are in each class of `SIZES`."""
    return np.bincount(np.searchsorted(_EDGES, sizes, side="right") - 1, minlength=len(SIZES))


def _row(name: str, trees: list[Trees], runs: int) -> dict[str, Any]:
    """Trees per run, and over all trees of the strategy mean and largest size, depth, and children per node."""
    sizes = np.concatenate([np.zeros(0, np.int64), *(each.sizes for each in trees)])
    nodes = int(sizes.sum())
    return {
        "strategy": name,
        "trees": number(sizes.size / runs),
        "nodes": number(nodes / runs),
        "size_mean": number(nodes / sizes.size) if sizes.size else None,
        "size_max": int(sizes.max(initial=0)),
        "depth_max": max((each.depth for each in trees), default=0),
        "children": number(1.0 - sizes.size / nodes) if nodes else None,
    }


def _story(cell: Cell, event: int) -> str:
    """Why the first event of a tree happened and what came of it; without its heading, which names the folder."""
    ledger = cell.ledger()
    told = story(ledger, f"{event:016x}").partition("\n\n")[2]
    ledger.close()
    return told
