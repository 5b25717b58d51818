"""What is known of the market, beside what came out here: the facts that the model was not given."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.ledger.reader import Ledger
from sim.report.material import Cell, Material
from sim.report.shape import estimate, number
from sim.study.facts import TARGETS, Fact, counts, facts, measured
from sim.words import _


def look(cell: Cell, ledger: Ledger, material: Material) -> Mapping[str, float]:
    """What a run of the baseline shows of them."""
    return measured(ledger) if cell.strategy == material.comparison.baseline else {}


def tell(material: Material, found: Mapping[Cell, Mapping[str, float]]) -> dict[str, Any]:
    """Every fact with its value here, means over the baseline's runs, and where it stands."""
    runs = [run for cell, run in found.items() if run]
    if not runs:
        return {"counts": counts(), "rows": []}
    cell = next(material.of(material.comparison.baseline))
    return {
        "counts": counts(),
        "strategy": cell.strategy,
        "worlds": len(runs),
        "rows": [_row(material, cell, fact, [run[fact.name] for run in runs]) for fact in facts()],
        "place": cell.place,
    }


def _row(material: Material, cell: Cell, fact: Fact, values: list[float]) -> dict[str, Any]:
    target = TARGETS[fact.name]
    here = estimate([value for value in values if np.isfinite(value)])
    missing = not np.isfinite(here.mean)
    sql = material.asked(target.sql, cell, merchant=None)["sql"] if target.sql else ""
    ledger = f'sim.Ledger("{cell.place}")'
    metric = f'from sim.metrics.catalog import table\ntable({ledger}, ["{target.metric}"])' if target.metric else ""
    own = f'from sim.study.facts import measured\nmeasured({ledger})["{fact.name}"]' if target.measure else ""
    return {
        "name": fact.name,
        "title": _(target.title),
        "value": fact.value,
        "accept": fact.accept,
        "grade": fact.grade,
        "note": _(fact.note),
        "mean": number(here.mean),
        "low": number(here.low),
        "high": number(here.high),
        "inside": fact.accept[0] <= here.mean <= fact.accept[1],
        "why": _(target.without, days=material.days) if missing else "",
        "sql": "" if missing else sql,
        "call": "" if missing or not (metric or own) else f"import sim\n{metric or own}",
    }
