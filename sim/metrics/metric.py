"""What a metric is: a number read from one ledger, with its definition and the question that gives it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.units import DAY, FEN_PER_YUAN

Several = Callable[[Ledger, int | None], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number with a stated definition.

    `sql` is one question with one answer, which anybody can ask again: its parameters are `$merchant` (a number, or
    NULL for all), `$days` (the horizon) and `$users`. What SQL cannot say is a function that gives several metrics by
    name. Money is summed in fen and becomes yuan last. NaN means that there is nothing to measure.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool | None
    definition: str
    sql: str | Several

    def as_dict(self) -> dict[str, Any]:
        """What it counts, ready for JSON."""
        return {name: getattr(self, name) for name in ("title", "unit", "higher_is_better", "definition")}


class Scan(str):
    """The question for a number of some rows, ``SELECT number FROM rows``; those of the same rows are asked at once."""

    number: str
    rows: str

    def __new__(cls, number: str, rows: str) -> "Scan":
        """The question, which is a text like any other."""
        made = super().__new__(cls, f"SELECT {number} FROM {rows}")
        made.number, made.rows = number, rows
        return made


def ask(ledger: Ledger, metrics: Iterable[Metric], merchant: int | None) -> dict[str, float]:
    """The metrics' values by name (and of those that come with them) for one merchant's number, or for all.

    What a question costs of a small ledger is its planning: so one statement for all numbers of the same rows.
    """
    facts, out = ledger.manifest, dict[str, float]()
    scans: dict[str, dict[str, str]] = {}  # numbers by name, by rows
    for metric in metrics:
        if isinstance(metric.sql, Scan):
            scans.setdefault(metric.sql.rows, {})[metric.name] = metric.sql.number
        elif isinstance(metric.sql, str):
            scans.setdefault(f"({metric.sql}) AS answer(number)", {})[metric.name] = "number"
        elif metric.name not in out:
            out |= metric.sql(ledger, merchant)
    for rows, numbers in scans.items():
        sql = str(Scan(", ".join(numbers.values()), rows))
        (found,) = ledger.rows(sql, merchant=merchant, days=facts["days"], users=facts["users"])
        out |= {name: math.nan if value is None else float(value) for name, value in zip(numbers, found, strict=True)}
    return out


# ------------------------------------------------------------------------------------- phrases that questions share

OURS = "merchant = coalesce($merchant, merchant)"
END = f"$days::BIGINT * {DAY}"


def texts(*names: str) -> str:
    """Names as a list in SQL."""
    return ", ".join(f"'{name}'" for name in names)


def total(measure: str, *kinds: str) -> str:
    """The sum of a measure (count, quantity, amount) of these kinds over daily counts; 0 if there are none."""
    return f"coalesce(sum({measure}) FILTER (kind IN ({texts(*kinds)})), 0)"


def of_daily(number: str) -> str:
    """The question for a number made of totals."""
    return Scan(number, f"daily WHERE {OURS}")


def ratio(above: str, below: str, factor: float = 1) -> str:
    """A quotient times a factor; NULL if the divisor is 0."""
    return f"{factor} * ({above}) / nullif({below}, 0)"


def yuan(number: str) -> str:
    """Fen as yuan."""
    return f"({number}) / {FEN_PER_YUAN}.0"


BOUGHT = f"""
    SELECT "user", merchant, channel, time, event, amount FROM events
    WHERE kind IN ({texts(*DEALS)}) AND amount > 0 AND {OURS}"""  # a gift that the merchant pays for is not bought


def orders(where: str = "true") -> str:
    """How many orders and gifts somebody paid for, as a term; daily counts cannot tell them from those for nothing."""
    return f"(SELECT count(*) FROM ({BOUGHT}) WHERE {where})"
