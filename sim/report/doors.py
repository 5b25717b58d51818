"""Groups by door: customers by the channel of their first touch, what they bought and what they were worth."""

from collections.abc import Mapping
from typing import Any

from sim.ledger.reader import Ledger
from sim.metrics.doors import BY_FIRST_TOUCH, WINDOW_DAYS, by_first_touch
from sim.report.material import Cell, Material
from sim.report.shape import Figure, Line, channel, mean, number
from sim.units import FEN_PER_YUAN
from sim.words import _

Doors = Mapping[str, Mapping[str, int]]  # by channel: customers, orders, whole, again, fen


def look(cell: Cell, ledger: Ledger, material: Material) -> Doors:
    """The customers of one run by door."""
    rows = by_first_touch(ledger, material.comparison.merchant or None).to_pylist()
    return {row.pop("channel"): row for row in rows}


def tell(material: Material, found: Mapping[Cell, Doors]) -> dict[str, Any]:
    """Customers and their margin as figures, means over the runs, and a table by door and strategy."""
    customers: dict[str, int] = {}
    for run in found.values():
        for door, row in run.items():
            customers[door] = customers.get(door, 0) + row["customers"]
    doors = sorted(customers, key=lambda door: (-customers[door], door))
    if not doors:
        return {}
    runs = {name: [*own.values()] for name, own in material.by_strategy(found).items() if own}
    rows = {door: [_row(name, [run.get(door, {}) for run in own]) for name, own in runs.items()] for door in doors}
    return {
        "figures": [
            _figure("doors-customers", _("Customers by door"), _("people per run"), rows, "customers"),
            _figure("doors-margin", _("Margin of these customers"), _("yuan per run"), rows, "margin"),
        ],
        "rows": rows,
        "days": WINDOW_DAYS,
        **material.asked(BY_FIRST_TOUCH),
    }


def _row(name: str, runs: list[Mapping[str, int]]) -> dict[str, Any]:
    """Means over the runs of a strategy; who bought again of all its customers, and what one of them was worth."""
    sums = {column: sum(run.get(column, 0) for run in runs) for column in ("customers", "whole", "again", "fen")}
    return {
        "strategy": name,
        "customers": mean(run.get("customers", 0) for run in runs),
        "orders": mean(run.get("orders", 0) for run in runs),
        "whole": sums["whole"],
        "repeat_share": number(sums["again"] / sums["whole"]) if sums["whole"] else None,
        "margin": mean(run.get("fen", 0) / FEN_PER_YUAN for run in runs),
        "each": number(sums["fen"] / FEN_PER_YUAN / sums["customers"]) if sums["customers"] else None,
    }


def _figure(name: str, title: str, unit: str, rows: Mapping[str, list[dict[str, Any]]], column: str) -> Figure:
    lines = [Line(of[0]["strategy"], tuple(row[column] for row in of)) for of in zip(*rows.values(), strict=True)]
    return Figure(name, "bars", title, _("door"), unit, tuple(map(channel, rows)), tuple(lines))
