"""What was found: a sentence for each strategy, the table, and the question and the rows behind each number."""

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS
from sim.metrics.catalog import METRICS
from sim.metrics.metric import OURS, texts
from sim.metrics.money import OWN
from sim.report.material import Cell, Material
from sim.study.comparison import Comparison, heading
from sim.study.sentence import Teller, short
from sim.study.stats import Difference
from sim.study.table import alike, number
from sim.words import told

EXAMPLES = 4  # rows shown behind a number
_WORD = re.compile(r"'(\w+)'")


@dataclass(frozen=True, slots=True)
class Row:
    """An event behind a number: its id as `wxsim trace --event` takes it, when and what."""

    event: str
    when: str
    told: str


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a metric in one run: some rows, how many there are, and kinds that are only counted."""

    rows: tuple[Any, ...]  # as the ledger holds them; on the page each is a `Row`
    count: int
    counted: tuple[str, ...]


# ------------------------------------------------------------------------------------------------- from one ledger


def look(cell: Cell, ledger: Ledger, material: Material) -> Mapping[str, Behind]:
    """The rows behind each metric, of the run that stands for its strategy."""
    if not cell.example:
        return {}
    return {name: _behind(ledger, name, material) for name in material.comparison.metrics}


def _behind(ledger: Ledger, metric: str, material: Material) -> Behind:
    """Events of the kinds that the question names, or moves of the accounts that it names."""
    asked, kinds = METRICS[metric].sql, ledger.manifest["kinds"]
    text = asked if isinstance(asked, str) else inspect.getsource(inspect.getmodule(asked) or asked)
    words = list(dict.fromkeys(_WORD.findall(text)))
    everything = ledger.manifest["everything"]
    counted = tuple(word for word in words if kinds.get(word, False) and not everything)
    written = [word for word in words if word in kinds and word not in counted]
    merchant = material.values(ledger.manifest)["merchant"]
    if "postings" in text and not written:
        return _moves(ledger, [word for word in words if word in ACCOUNTS and word not in OWN], merchant)
    where = f"list_contains($kinds::VARCHAR[], kind) AND {OURS}"
    found = ledger.query(
        f"SELECT * FROM events WHERE {where} ORDER BY time, event LIMIT {EXAMPLES}", kinds=written, merchant=merchant
    ).to_pylist()
    ((count,),) = ledger.rows(f"SELECT count(*) FROM events WHERE {where}", kinds=written, merchant=merchant)
    return Behind(tuple(found), count, counted)


def _moves(ledger: Ledger, accounts: list[str], merchant: int | None) -> Behind:
    """Moves into or out of the merchant's cash, of these other accounts or of any."""
    named = "true"
    if accounts:
        named = "(list_contains($accounts::VARCHAR[], source) OR list_contains($accounts::VARCHAR[], target))"
    where = f"""currency = 'fen' AND {named} AND (
        (target IN ({texts(*OWN)}) AND target_owner = coalesce($merchant, target_owner))
        OR (source IN ({texts(*OWN)}) AND source_owner = coalesce($merchant, source_owner)))"""
    given = {"accounts": accounts, "merchant": merchant}
    order = "ORDER BY time, event, source, target, amount"
    found = ledger.query(f"SELECT * FROM postings WHERE {where} {order} LIMIT {EXAMPLES}", **given).to_pylist()
    ((count,),) = ledger.rows(f"SELECT count(*) FROM postings WHERE {where}", **given)
    return Behind(tuple(found), count, ())


# ------------------------------------------------------------------------------------------------- for the page


def told_rows(cell: Cell, rows: Iterable[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Events or moves of money of a run, in words."""
    teller = Teller(cell.ledger())

    def told_of(row: Mapping[str, Any]) -> str:
        return teller.move(row) if "currency" in row else teller.sentence(row)

    return tuple(Row(short(row["event"]), teller.when(row["time"]), told_of(row)) for row in rows)


def tell(material: Material, found: Mapping[Cell, Mapping[str, Behind]]) -> dict[str, Any]:
    """Sentences and tables of the comparison."""
    comparison = material.comparison
    behind = {cell.strategy: (cell, seen) for cell, seen in found.items() if cell.example}
    return {
        "sentences": [_sentence(comparison, name) for name in material.others],
        "main": _metric(comparison, comparison.metrics[0]) if comparison.metrics else None,
        "tables": [_table(material, name, behind) for name in comparison.metrics],
        "finished": sum(int(done.sum()) for done in comparison.done.values()),
        "runs": len(comparison.seeds) * len(comparison.strategies),
    }


def _sentence(comparison: Comparison, strategy: str) -> dict[str, Any]:
    """A strategy's verdict on the first metric, and where the others stand by verdict."""
    first, *more = comparison.metrics
    found = comparison.difference(strategy, first)
    by: dict[str, list[str]] = {}
    for name in more:
        by.setdefault(_verdict(comparison.difference(strategy, name))[0], []).append(told(METRICS[name].title))
    pairs = comparison.worlds(strategy)
    return {
        "strategy": strategy,
        "number": comparison.strategies.index(strategy),
        "metric": _metric(comparison, first),
        **_difference(found, pairs),
        "pairs": pairs,
        "others": by,
    }


def _metric(comparison: Comparison, name: str) -> dict[str, Any]:
    metric = METRICS[name]
    return {
        "name": name,
        "heading": heading(name, told),
        "title": told(metric.title),
        "unit": told(metric.unit),
        "higher": metric.higher_is_better,
        "definition": told(metric.definition),
    }


def _table(material: Material, name: str, behind: Mapping[str, tuple[Cell, Mapping[str, Behind]]]) -> dict[str, Any]:
    comparison, asked = material.comparison, METRICS[name].sql
    return {
        **_metric(comparison, name),
        "sql": material.asked(asked)["sql"] if isinstance(asked, str) and behind else None,
        "call": None if isinstance(asked, str) else f"{asked.__module__}.{asked.__name__}",
        "rows": [row for strategy in comparison.strategies for row in _rows(comparison, strategy, name, behind)],
    }


def _rows(
    comparison: Comparison, strategy: str, metric: str, behind: Mapping[str, tuple[Cell, Mapping[str, Behind]]]
) -> Iterable[dict[str, Any]]:
    """A strategy's row of a metric, and the row of its synergy if it combines others."""
    cell, seen = behind.get(strategy, (None, {}))
    own_rows = seen.get(metric)
    base = comparison.per_seed(comparison.baseline, metric)
    own = comparison.per_seed(strategy, metric)
    is_base = strategy == comparison.baseline
    row = {
        "strategy": strategy,
        "number": comparison.strategies.index(strategy),
        "mean": number(comparison.estimate(strategy, metric).mean),
        "interval": _interval(comparison.estimate(strategy, metric), signed=False),
        "baseline": is_base,
        "seeds": [
            {"seed": seed, "value": number(value), "difference": "" if is_base else number(value - other, signed=True)}
            for seed, value, other in zip(comparison.seeds, own.tolist(), base.tolist(), strict=True)
        ],
        "place": cell.place if cell else None,
        "seed": cell.seed if cell else None,
        "behind": replace(own_rows, rows=told_rows(cell, own_rows.rows)) if cell and own_rows else None,
    }
    found = comparison.difference(strategy, metric)
    yield row if is_base else {**row, **_difference(found, comparison.worlds(strategy))}
    if strategy in comparison.combined:
        yield _synergy(comparison, strategy, metric)


def _synergy(comparison: Comparison, strategy: str, metric: str) -> dict[str, Any]:
    """The row of a synergy; of each seed its own difference, those of the parts, and what is left."""
    parts = comparison.combined[strategy]
    base = comparison.per_seed(comparison.baseline, metric)
    whole, *less = (comparison.per_seed(name, metric) - base for name in (strategy, *parts))
    seeds = zip(comparison.seeds, whole.tolist(), *(part.tolist() for part in less), strict=True)
    return {
        "synergy": True,
        "strategy": strategy,
        "number": comparison.strategies.index(strategy),
        "parts": parts,
        "seeds": [
            {"seed": seed, "terms": [number(each, signed=True) for each in (*terms, terms[0] - sum(terms[1:]))]}
            for seed, *terms in seeds
        ],
        **_difference(comparison.synergy(strategy, metric), comparison.worlds(strategy, *parts)),
    }


def _difference(found: Difference, worlds: int) -> dict[str, Any]:
    verdict, more = _verdict(found)
    same = verdict == "same"
    return {
        "difference": number(found.estimate.mean, signed=True),
        "size": number(abs(found.estimate.mean)),
        "up": bool(found.estimate.mean > 0.0),
        "interval": None if same else _interval(found.estimate, signed=True),
        "verdict": verdict,
        "said": alike(worlds) if same else told(verdict),
        "more": more,
        "reduction": number(found.variance_reduction) if found.variance_reduction > 1.0 else None,
    }


def _verdict(found: Difference) -> tuple[str, str]:
    """The verdict, and what it adds (how many more seeds would tell)."""
    verdict, _, more = found.verdict.partition(": ")
    return verdict, more


def _interval(found: Any, signed: bool) -> tuple[str, str] | None:
    low, high = number(found.low, signed), number(found.high, signed)
    return None if "–" in (low, high) else (low, high)
