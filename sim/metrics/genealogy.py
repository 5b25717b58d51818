"""Genealogies: what led to what, as trees, of shares, of promotions and of gifts.

*Shares and promotions*: the parent is the nearest one that the chain of causes goes back to (share → seen → bought →
shared again). *Gifts*: the parent of a gift is the last one that its sender had claimed before. An order
that somebody paid for belongs to the nearest share or promotion among its causes, a gift to itself.

The branching ratio R is the mean number of children. Trees are independent, what happens inside one is not, so its
interval is that of a ratio over trees: R = Σ c / Σ n with c = n - 1 children in a tree of n, standard error
√(T / (T - 1) · Σ (c - R n)²) / Σ n over T trees, Student's t with T - 1 degrees of freedom. What happens shortly before
the horizon has had less time to lead to more, so R is a lower bound.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sim.errors import StudyError
from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.metrics.cascades import Forest, forest, nearest
from sim.metrics.metric import OURS, texts
from sim.units import F64, FEN_PER_YUAN, I64, Array

if TYPE_CHECKING:
    import networkx as nx

KINDS: Mapping[str, str] = {"share": "share", "promotion": "promotion", "gift": "gift_sent"}  # by name: kind of event
_CONFIDENCE = 0.95
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
        """The branching ratio and its 95 % interval; NaN where there are too few trees to tell."""
        size = self.trees.sizes
        if not size.size:
            return math.nan, math.nan, math.nan
        ratio = 1.0 - size.size / float(size.sum())
        if size.size == 1:
            return ratio, math.nan, math.nan
        from scipy.special import stdtrit

        spread = float(np.square(size - 1.0 - ratio * size).sum())
        error = math.sqrt(size.size / (size.size - 1.0) * spread) / float(size.sum())
        half = float(stdtrit(size.size - 1, (1.0 + _CONFIDENCE) / 2.0)) * error
        return ratio, ratio - half, ratio + half

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


def genealogy(ledger: Ledger, kind: str = "share", merchant: str | None = None) -> Genealogy:
    """The trees of a kind (share, promotion, gift) in a ledger, for one merchant or all.

    Raises StudyError for a kind that has no trees, LedgerError for a merchant that does not exist.
    """
    if kind not in KINDS:
        raise StudyError(f"there are no trees of {kind!r}; one of {', '.join(KINDS)}")
    return read(ledger, kind, ledger.merchant(merchant) if merchant else None)


def read(ledger: Ledger, kind: str, merchant: int | None) -> Genealogy:
    """The same, for a merchant's number."""
    by_person = kind == "gift"
    rows = ledger.query(_BY_PERSON if by_person else _BY_CAUSE, kind=KINDS[kind], merchant=merchant)
    columns = {name: rows[name].to_numpy() for name in rows.column_names}
    return (_of_people if by_person else _of_causes)(kind, columns)


def _of_causes(kind: str, rows: Mapping[str, Array]) -> Genealogy:
    above = nearest(rows["event"], rows["cause"], rows["node"])
    nodes, deals = rows["node"].nonzero()[0], rows["deal"].nonzero()[0]
    place: I64 = np.cumsum(rows["node"]) - 1
    own = {name: rows[name][nodes] for name in ("event", "user", "time")}
    sold = {"event": rows["event"][deals], "amount": rows["amount"][deals], "node": _placed(place, above[deals])}
    return Genealogy(kind, own, sold, forest(_placed(place, above[nodes])))


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
