"""Genealogies: what led to what, as trees, of shares, of promotions and of gifts.

*Shares and promotions*: the parent is the nearest one of somebody else that the chain of causes goes back to (share →
seen → bought → shared again); that a promoter posts again because she earned by her last post is no descent. *Gifts*:
the parent of a gift is the last one that its sender had claimed before. An order that somebody paid for belongs to the
nearest share or promotion among its causes, a gift to itself; what its recipient later buys for herself is in no tree.

The branching ratio R is the mean number of children of a node; a tree of a process that dies out has 1 / (1 - R) nodes
on average. Children are rare, so the interval is that of a count: the exact limits of a Poisson mean (F. Garwood,
Biometrika 28, 1936), which hold at any size. Children of one node are not independent, so the count is that of as many
independent ones: C children in N nodes of T trees, divided by the dispersion φ = T / (T - 1) · Σ (c - R n)² / C over
trees of n nodes and c = n - 1 children, at least 1 (quasi-likelihood: P. McCullagh, J. Nelder, Generalized Linear
Models, 1989). Without any child the upper limit is 3.0 / N (J. Hanley, A. Lippman-Hand, JAMA 249, 1983). What happens
shortly before the horizon has had less time to lead to more, so R is a lower bound.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sim.errors import StudyError
from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.metrics.cascades import Forest, forest, nearest
from sim.metrics.metric import OURS, Metric, texts
from sim.units import F64, FEN_PER_YUAN, I64, Array
from sim.words import _

if TYPE_CHECKING:
    import networkx as nx

KINDS: Mapping[str, str] = {"shares": "share", "promotions": "promotion", "gifts": "gift_sent"}  # name: kind of event
FORMATS = (".graphml", ".json")
_TAIL = 0.025  # on either side of a 95 % interval
_BY_CAUSE = f"""
    SELECT event, cause, "user", time, amount, coalesce({OURS}, false) AND kind = $kind AS node,
        coalesce({OURS}, false) AND kind IN ({texts(*DEALS)}) AND amount > 0 AS deal
    FROM events WHERE kind <> 'visit' ORDER BY event"""
_BY_PERSON = f"""WITH gift AS (SELECT event, "user", time, amount FROM events WHERE kind = $kind AND {OURS}),
    claim AS (
        SELECT "user", time, min(cause) AS parent FROM events WHERE kind = 'gift_claimed' AND {OURS} GROUP BY ALL
    )
    SELECT event, gift."user", gift.time, amount, coalesce(parent, 0)::UBIGINT AS parent
    FROM gift ASOF LEFT JOIN claim ON gift."user" = claim."user" AND gift.time > claim.time ORDER BY event"""


@dataclass(frozen=True, slots=True)
class Genealogy:
    """Trees of a ledger. `nodes` has columns event, user, time (seconds); `deals` event, amount (fen), node (or -1)."""

    kind: str
    nodes: Mapping[str, Array]
    deals: Mapping[str, Array]
    trees: Forest

    def branching(self) -> tuple[float, float, float]:
        """The branching ratio and its 95 % interval; NaN where there are no trees."""
        size = self.trees.sizes
        nodes, count = float(size.sum()), float(size.size)
        children = nodes - count
        if not nodes:
            return math.nan, math.nan, math.nan
        if not children:
            return 0.0, 0.0, -math.log(2 * _TAIL) / nodes
        from scipy.special import gammaincinv

        ratio = children / nodes
        spread = float(np.square(size - 1.0 - ratio * size).sum())
        dispersion = max(count / (count - 1.0) * spread / children, 1.0) if count > 1 else 1.0
        alone = children / dispersion  # as many independent children would say as much
        low, high = float(gammaincinv(alone, _TAIL)), float(gammaincinv(alone + 1.0, 1.0 - _TAIL))
        return ratio, low * dispersion / nodes, high * dispersion / nodes

    def summary(self) -> dict[str, float]:
        """Trees, nodes, mean and largest size, depth, branching ratio with its interval, structural virality."""
        size, virality = self.trees.sizes, self.trees.virality()
        ratio, low, high = self.branching()
        return {
            "trees": float(size.size),
            "nodes": float(self.trees.parent.size),
            "size_mean": float(size.mean()) if size.size else math.nan,
            "size_max": float(size.max(initial=0)),
            "depth_max": float(self.trees.depth.max(initial=0)),
            "branching": ratio,
            "branching_low": low,
            "branching_high": high,
            "structural_virality": float(virality.mean()) if virality.size else math.nan,
        }

    def generations(self) -> pa.Table:
        """By generation (0: those without a parent): nodes, orders that belong to them, and their value in yuan."""
        depth = self.trees.depth
        count = int(depth.max(initial=-1)) + 1
        mine = self.deals["node"] >= 0
        of = depth[self.deals["node"][mine]]
        value = np.bincount(of, self.deals["amount"][mine].astype(np.float64), count) / FEN_PER_YUAN
        return pa.table(
            {
                "generation": np.arange(count),
                "nodes": np.bincount(depth, minlength=count),
                "orders": np.bincount(of, minlength=count),
                "value": value,
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """All but the trees themselves, ready for JSON: what is not defined is null."""
        summary = {name: value if math.isfinite(value) else None for name, value in self.summary().items()}
        return {"kind": self.kind, "summary": summary, "generations": self.generations().to_pylist()}

    def to_networkx(self) -> "nx.DiGraph[int]":
        """A node for each event, by its id, with user, time, generation, orders and value; edges go to children."""
        import networkx as nx

        mine = self.deals["node"] >= 0
        size, at = self.trees.parent.size, self.deals["node"][mine]
        orders = np.bincount(at, minlength=size)
        value: F64 = np.bincount(at, self.deals["amount"][mine].astype(np.float64), size) / FEN_PER_YUAN
        columns = {
            "user": self.nodes["user"], "time": self.nodes["time"], "generation": self.trees.depth,
            "orders": orders, "value": value,
        }  # fmt: skip
        graph: nx.DiGraph[int] = nx.DiGraph(kind=self.kind)
        event: list[int] = self.nodes["event"].tolist()
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        graph.add_nodes_from(
            (name, dict(zip(columns, row, strict=True))) for name, row in zip(event, rows, strict=True)
        )
        child = (self.trees.parent >= 0).nonzero()[0]
        graph.add_edges_from((event[up], event[down]) for up, down in zip(self.trees.parent[child], child, strict=True))
        return graph

    def export(self, path: Path) -> None:
        """Write the graph as GraphML or as networkx's node-link JSON; events are named as `wxsim trace` names them."""
        import networkx as nx

        if path.suffix not in FORMATS:
            raise StudyError(
                _(
                    "{path}: cannot tell the format; name a file that ends in {one} or {other}",
                    path=path,
                    one=FORMATS[0],
                    other=FORMATS[1],
                )
            )
        graph = nx.relabel_nodes(self.to_networkx(), "{:016x}".format)
        if path.suffix == ".json":
            path.write_text(json.dumps(nx.node_link_data(graph, edges="edges")), "utf-8")
        else:
            nx.write_graphml(graph, path)


def genealogy(ledger: Ledger, kind: str = "shares", merchant: str | None = None) -> Genealogy:
    """The trees of a kind (shares, promotions, gifts) in a ledger, for one merchant or all.

    Raises StudyError for a kind that has no trees, LedgerError for a merchant that does not exist.
    """
    if kind not in KINDS:
        raise StudyError(_("there are no trees of {kind!r}; one of {known}", kind=kind, known=", ".join(KINDS)))
    return read(ledger, kind, ledger.merchant(merchant) if merchant else None)


def read(ledger: Ledger, kind: str, merchant: int | None) -> Genealogy:
    """The same, for a merchant's number."""
    by_person = kind == "gifts"
    rows = ledger.query(_BY_PERSON if by_person else _BY_CAUSE, kind=KINDS[kind], merchant=merchant)
    columns = {name: rows[name].to_numpy() for name in rows.column_names}
    return (_of_people if by_person else _of_causes)(kind, columns)


def _of_causes(kind: str, rows: Mapping[str, Array]) -> Genealogy:
    above = nearest(rows["event"], rows["cause"], rows["node"])
    nodes, deals = rows["node"].nonzero()[0], rows["deal"].nonzero()[0]
    place: I64 = np.cumsum(rows["node"]) - 1
    own = {name: rows[name][nodes] for name in ("event", "user", "time")}
    sold = {"event": rows["event"][deals], "amount": rows["amount"][deals], "node": _placed(place, above[deals])}
    return Genealogy(kind, own, sold, forest(_of_others(_placed(place, above[nodes]), own["user"])))


def _of_others(above: I64, user: Array) -> I64:
    """The nearest ones above that are somebody else's, -1 for none."""
    parent = above
    while (own := (parent >= 0) & (user[parent] == user)).any():
        parent = np.where(own, above[parent], parent)
    return parent


def _placed(place: I64, row: I64) -> I64:
    """Positions among the nodes of these rows, -1 for none."""
    return np.where(row >= 0, place[row], -1) if place.size else np.full(row.size, -1)


def _of_people(kind: str, rows: Mapping[str, Array]) -> Genealogy:
    event = rows["event"]
    at = np.minimum(np.searchsorted(event, rows["parent"]), max(event.size - 1, 0))
    parent = np.where(event[at] == rows["parent"], at, -1)
    paid = (rows["amount"] > 0).nonzero()[0]
    sold = {"event": event[paid], "amount": rows["amount"][paid], "node": paid}
    return Genealogy(kind, {name: rows[name] for name in ("event", "user", "time")}, sold, forest(parent))


def _measured(ledger: Ledger, merchant: int | None) -> Mapping[str, float]:
    """Every metric of genealogies, for one merchant or all."""
    out: dict[str, float] = {}
    for kind in KINDS:
        found = read(ledger, kind, merchant).summary()
        out |= {f"{name}@{kind}": found[column] for name, (column, *_) in _TELLS.items()}
    return out


_TELLS = {  # by name: column of the summary, title, unit, higher is better, definition
    "cascade_size": ("size_mean", "Cascade size", "nodes per tree", True, "Those in a tree, on average: the first"
                     ", those that it led to, and so on."),
    "cascade_size_max": ("size_max", "Largest cascade", "nodes", True, "Those in the largest tree."),
    "cascade_depth_max": ("depth_max", "Deepest cascade", "steps", True, "Steps from the first of a tree to its "
                          "furthest, in the deepest one."),
    "branching_ratio": ("branching", "Branching ratio", "children", True, "Those that one directly led to, on average; "
                        "shortly before the horizon there was less time to."),
    "structural_virality": ("structural_virality", "Structural virality", "steps", None, "Mean distance between two of "
                            "a tree, averaged over trees of two or more."),
}  # fmt: skip
METRICS = tuple(
    Metric(f"{name}@{kind}", f"{title} ({kind})", unit, higher, definition, _measured)
    for name, (_, title, unit, higher, definition) in _TELLS.items()
    for kind in KINDS
)
