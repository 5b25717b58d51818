"""The funnel by channel: products noticed, pages opened, orders paid."""

from collections.abc import Mapping
from typing import Any

from sim.ledger.reader import Ledger
from sim.metrics.funnel import BY_CHANNEL, funnel
from sim.report.material import Cell, Material
from sim.report.shape import Figure, Line, channel, mean, number
from sim.words import _, marked

STAGES = {"exposures": marked("Noticed"), "views": marked("Opened"), "orders": marked("Ordered")}
Funnel = Mapping[str, Mapping[str, float]]  # by channel: exposures, views, orders, gmv


def look(cell: Cell, ledger: Ledger, material: Material) -> Funnel:
    """The funnel of one run."""
    rows = funnel(ledger, material.comparison.merchant or None).to_pylist()
    return {row["channel"]: {name: float(row[name]) for name in (*STAGES, "gmv")} for row in rows}


def tell(material: Material, found: Mapping[Cell, Funnel]) -> dict[str, Any]:
    """A figure for each stage, means over the runs, and the table with the rates between them."""
    totals: dict[str, float] = {}
    for run in found.values():
        for name, stages in run.items():
            totals[name] = totals.get(name, 0.0) + stages["orders"] + 1e-9 * stages["exposures"]
    channels = tuple(sorted(totals, key=lambda name: (-totals[name], name)))
    if not channels:
        return {}
    means = {
        name: {
            at: {s: mean(run.get(at, {}).get(s, 0.0) for run in runs.values()) for s in (*STAGES, "gmv")}
            for at in channels
        }
        for name, runs in material.by_strategy(found).items()
        if runs
    }
    return {
        "figures": [
            Figure(
                f"funnel-{stage}", "bars", _(title), _("channel"), _("per run"), tuple(map(channel, channels)),
                tuple(Line(name, tuple(of[at][stage] for at in channels)) for name, of in means.items()),
            )
            for stage, title in STAGES.items()
        ],
        "rates": {name: {at: _rates(of[at]) for at in channels} for name, of in means.items()},
        **material.asked(BY_CHANNEL),
    }  # fmt: skip


def _rates(stages: Mapping[str, float | None]) -> dict[str, float | None]:
    """The means of a channel, with pages opened per product noticed and orders per page opened."""
    seen, opened, orders = (stages[name] or 0.0 for name in STAGES)
    return {
        **stages,
        "view_rate": number(opened / seen) if seen else None,
        "conversion": number(orders / opened) if opened else None,
    }
