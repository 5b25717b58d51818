"""Day by day: what was paid, with bands over the worlds, and where the strategies part."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.metrics.metric import OURS, texts
from sim.report.material import Cell, Material
from sim.report.shape import Figure, Line, line, paired
from sim.units import F64, FEN_PER_YUAN
from sim.words import _

SQL = f"""
    SELECT day, sum(amount)::BIGINT AS fen FROM daily
    WHERE kind IN ({texts(*DEALS)}) AND {OURS} AND day < $days
    GROUP BY day ORDER BY day"""


def look(cell: Cell, ledger: Ledger, material: Material) -> F64:
    """Yuan paid on each day of the horizon."""
    out = np.zeros(int(ledger.manifest["days"]))
    for day, fen in ledger.rows(SQL, **material.values(ledger.manifest)):
        out[day] = fen / FEN_PER_YUAN
    return out


def tell(material: Material, found: Mapping[Cell, F64]) -> dict[str, Any]:
    """The curves, and the question behind them."""
    if not found:
        return {}
    by = {
        name: {number: days[: material.days] for number, days in own.items()}
        for name, own in material.by_strategy(found).items()
    }
    days = tuple(range(1, material.days + 1))
    figures = [_figure("gmv-by-day", _("GMV by day"), days, [line(n, [*own.values()]) for n, own in by.items() if own])]
    base = by.get(material.comparison.baseline, {})
    ahead = [line(name, _ahead(by[name], base)) for name in material.others if _ahead(by[name], base)]
    if ahead:
        title = _("GMV so far, ahead of {baseline}", baseline=material.comparison.baseline)
        figures.append(_figure("gmv-ahead", title, days, ahead, zero=True))
    return {
        "figures": figures,
        **material.asked(SQL),
        "bands": any(each.low for each in figures[0].lines),
    }


def _ahead(own: Mapping[int, F64], base: Mapping[int, F64]) -> list[F64]:
    """What was paid up to each day, less what was paid under the baseline in the same world."""
    return [np.cumsum(days) for days in paired(own, base)]


def _figure(name: str, title: str, days: tuple[int, ...], lines: list[Line], zero: bool = False) -> Figure:
    return Figure(name, "curves", title, _("day"), _("yuan"), days, tuple(lines), zero=zero)
