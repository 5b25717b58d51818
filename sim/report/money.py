"""Where the money went: from what customers paid to what the merchant kept, from the moves of its cash and escrow."""

from collections.abc import Mapping
from typing import Any

from sim.ledger.reader import Ledger
from sim.metrics.money import OWN, of_moves
from sim.report.findings import told_rows
from sim.report.material import Cell, Material
from sim.report.shape import Figure, Line, estimate, mean, number
from sim.units import FEN_PER_YUAN
from sim.words import _, marked

PAID, BACK, HELD, KEPT = marked("Paid"), marked("Paid back"), marked("Still held"), marked("Margin")
_TOLD = {  # by account: what money goes there for; an account of another name is told by it
    "platform": marked("Platform fee"),
    "payment": marked("Payment fee"),
    "promoter": marked("Commission"),
    "supplier": marked("Goods"),
    "courier": marked("Parcels"),
    "media": marked("Media"),
    "staff": marked("Staff"),
}
SQL = (
    of_moves("account, other, amount < 0 AND other = 'wallet' AS back, sum(amount)::BIGINT AS fen")
    + " GROUP BY ALL ORDER BY ALL"
)
_DEAREST = """
    SELECT * FROM postings
    WHERE currency = 'fen' AND source = 'cash' AND source_owner = coalesce($merchant, source_owner)
    ORDER BY amount DESC, time, event LIMIT 3"""
Steps = Mapping[str, int]  # by step: fen that came (+) or went (-); the margin is their sum


def look(cell: Cell, ledger: Ledger, material: Material) -> tuple[Steps, list[Any]]:
    """The steps of one run; their sum is its margin, to the fen. With them the dearest payments, of an example."""
    values = material.values(ledger.manifest)
    steps = {PAID: 0, BACK: 0, HELD: 0}
    kept = 0
    for account, other, back, fen in ledger.rows(SQL, **values):
        if other not in OWN:
            name = (BACK if back else PAID) if other == "wallet" else _TOLD.get(other, other)
            steps[name] = steps.get(name, 0) + fen
        if account == "cash":
            kept += fen
        else:
            steps[HELD] -= fen
    dearest = ledger.query(_DEAREST, **values).to_pylist() if cell.example else []
    return {**steps, KEPT: kept}, dearest


def tell(material: Material, found: Mapping[Cell, tuple[Steps, list[Any]]]) -> dict[str, Any]:
    """The waterfall of every strategy, means over its runs, and each step's difference to the baseline."""
    runs = {
        name: {number: steps for number, (steps, _rows) in own.items()}
        for name, own in material.by_strategy(found).items()
    }
    steps = _order({step for own in runs.values() for run in own.values() for step, fen in run.items() if fen})
    if not steps:
        return {}
    lines = tuple(
        Line(name, tuple(mean(run.get(step, 0) / FEN_PER_YUAN for run in own.values()) for step in steps))
        for name, own in runs.items()
        if own
    )
    base, named = runs.get(material.comparison.baseline, {}), tuple(_(step) for step in steps)
    examples = [(cell, told_rows(cell, rows)) for cell, (_steps, rows) in found.items() if rows]
    totals = tuple(at for at, step in enumerate(steps) if step in (PAID, KEPT))
    return {
        "figures": [
            Figure("money", "waterfall", _("From GMV to margin"), _("step"), _("yuan per run"), named, lines, totals)
        ],
        "differences": {name: _differences(runs[name], base, steps) for name in material.others},
        "steps": named,
        **material.asked(SQL),
        "examples": examples,
    }


def _order(steps: set[str]) -> tuple[str, ...]:
    """What was paid, what left again, the margin."""
    known = [PAID, BACK, *_TOLD.values(), *sorted(steps - {PAID, BACK, HELD, KEPT, *_TOLD.values()}), HELD, KEPT]
    return tuple(step for step in known if step in steps or (steps and step in (PAID, KEPT)))


def _differences(own: Mapping[int, Steps], base: Mapping[int, Steps], steps: tuple[str, ...]) -> list[dict[str, Any]]:
    """Each step's mean difference to the baseline in yuan, with its interval."""
    both = sorted(own.keys() & base.keys())
    out = []
    for step in steps:
        found = estimate([(own[at].get(step, 0) - base[at].get(step, 0)) / FEN_PER_YUAN for at in both])
        out.append({"step": step, "mean": number(found.mean), "low": number(found.low), "high": number(found.high)})
    return out
