"""What a metric is: a number read from one ledger, with its definition and the question that gives it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


class Scan(str):
    """A question for a number of some rows: ``{given} SELECT {number} FROM {rows}``. Those of the same rows are one."""

    number: str
    rows: str
    given: str

    def __new__(cls, number: str, rows: str, given: str = "") -> "Scan":
        """The question; `given` is what stands before, a WITH."""
        made = super().__new__(cls, f"{given} SELECT {number} FROM {rows}".strip())
        made.number, made.rows, made.given = number, rows, given
        return made


def ask(ledger: Ledger, metrics: Iterable[Metric], merchant: int | None) -> dict[str, float]:
    """The metrics' values by name (and of those that come with them), for one merchant's number or for all.

    Numbers of the same rows are asked in one statement, because planning it is what takes DuckDB's time.
    """
    facts, out = ledger.manifest, dict[str, float]()
    together: dict[tuple[str, str], dict[str, str]] = {}
    for metric in metrics:
        sql = metric.sql
        if callable(sql):
            out.update({} if metric.name in out else sql(ledger, merchant))
            continue
        scan = sql if isinstance(sql, Scan) else Scan(f"({sql})", "(SELECT 1)")
        together.setdefault((scan.given, scan.rows if isinstance(sql, Scan) else sql), {})[metric.name] = scan.number
    for (given, rows), numbers in together.items():
        sql = f"{given} SELECT {', '.join(numbers.values())} FROM {rows}" if len(numbers) > 1 else ""
        out |= {}
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
    return f"SELECT {number} FROM daily WHERE {OURS}"


def ratio(above: str, below: str, factor: float = 1) -> str:
    """A quotient times a factor; NULL if the divisor is 0."""
    return f"{factor} * ({above}) / nullif({below}, 0)"


def yuan(number: str) -> str:
    """Fen as yuan."""
    return f"({number}) / {FEN_PER_YUAN}.0"


BOUGHT = f"""
    SELECT "user", merchant, time, event, amount FROM events
    WHERE kind IN ({texts(*DEALS)}) AND amount > 0 AND {OURS}"""  # a gift that the merchant pays for is not bought
