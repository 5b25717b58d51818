"""Two engines, one ledger: run a scenario with both and name the first row in which they differ, in a small case.

The array engine moves whole batches, the per-event engine one session and one request at a time. If they disagree, the
case is made smaller as long as they still do: fewer days, fewer people, fewer shops, fewer mechanisms. With an audit
after every tick, an engine that cannot finish or that breaks a law is found and made small in the same way. What is
left is run once more with every exposure written, once while somebody listens to the draws of those whom the first
difference concerns, and once with a witness who says which mechanism, or which part of an engine, is first to differ.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sim.config.model import Scenario
from sim.errors import ConservationError, ContractError
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.run import ENGINES, run
from sim.study import listening
from sim.study.listening import Draw
from sim.study.shrink import shrunk, size
from sim.study.watch import Watch
from sim.study.witness import Parting, parting
from sim.units import DAY

TABLES = ("events", "postings", "stock", "daily")
KEYS = {  # what a row tells of
    "events": ("event", "kind"),
    "postings": ("event", "currency", "source", "target"),
    "stock": ("event", "item"),
    "daily": ("day", "kind", "merchant", "channel"),
}
ORDER = {table: ("day", "kind", "merchant") if table == "daily" else ("time", "event") for table in TABLES}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row in which two ledgers differ, as each engine wrote it (None: it wrote no such row)."""

    table: str
    array: Mapping[str, Any] | None
    events: Mapping[str, Any] | None
    chain: tuple[Mapping[str, Any], ...]  # what led to it, from the latest cause back to the root
    draws: tuple[Draw, ...] = ()  # at the addresses of these events, of the sessions they are from, and of their user

    @property
    def sort(self) -> str:
        """One difference is as good as another."""
        return "they differ"

    @property
    def day(self) -> int:
        """The day of the first difference."""
        days = [row["day"] if "day" in row else row["time"] // DAY for row in (self.array, self.events) if row]
        return int(min(days))

    def __str__(self) -> str:
        lines = [f"first difference, in {self.table}:"]
        lines += [f"  {name:6} {_line(row)}" for name, row in (("array", self.array), ("events", self.events))]
        lines += [f"  because of {_line(row)}" for row in self.chain]
        return "\n".join([*lines, *listening.told(self.draws)])


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that an engine did not finish, or in which it broke a law."""

    engine: str
    sort: str  # the error's class, or "audit"
    said: str
    day: int

    def __str__(self) -> str:
        return f"{self.engine} engine, day {self.day}: {self.sort}: {self.said}"


Finding = Difference | Failure
_ALIKE: Mapping[type[Finding], str] = {  # where nothing parts the engines
    Difference: "all that mechanisms are shown and answer is the same in both engines: the books or the writer differ",
    Failure: "up to there all that mechanisms are shown and answer is the same in both engines: a rule is wrong",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether both engines wrote the same ledger; if not, the smallest case found in which they do not."""

    rows: Mapping[str, int]  # rows of each table, as the array engine wrote them
    digest: str
    difference: Finding | None = None
    scenario: Scenario | None = None  # the small case
    seed: int = 0
    parting: Parting | None = None  # in the small case, the first act that is not the same in both

    @property
    def equal(self) -> bool:
        """Whether the ledgers are the same."""
        return self.difference is None

    def __str__(self) -> str:
        if self.difference is None or self.scenario is None:
            rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items())
            return f"both engines wrote the same ledger: {rows}; digest {self.digest}"
        case = f"{size(self.scenario)}, seed {self.seed}: {' '.join(_mechanisms(self.scenario))}"
        return f"smallest case found: {case}\n{self.difference}\n{self.parting or _ALIKE[type(self.difference)]}"


def verify(
    scenario: Scenario,
    seed: int | None = None,
    told: Callable[[str], None] = lambda step: None,
    *,
    audited: int = 0,
) -> Verdict:
    """Run both engines with a seed (the scenario's by default) and compare their ledgers, row by row.

    `told` hears each step. `audited` is how many ticks lie between two audits on the way; with 0 there is none as long
    as no engine breaks off. Raises StudyError if the scenario cannot be run at all.
    """
    seed = scenario.seed if seed is None else seed
    told(f"{size(scenario)}, both engines")
    return smallest(once(scenario, seed, audited), told, audited=audited)


def once(scenario: Scenario, seed: int, audited: int = 0) -> Verdict:
    """Both engines on the scenario as it is."""
    with tempfile.TemporaryDirectory(prefix="wxsim-verify-") as folder:
        ledgers = []
        for engine in ENGINES:
            ledger = _ran(scenario, seed, Path(folder) / engine, engine, audited)
            if isinstance(ledger, Failure):
                return Verdict({}, "", ledger, scenario, seed)
            ledgers.append(ledger)
        rows = {table: getattr(ledgers[0], table).num_rows for table in TABLES}
        difference = compare_ledgers(*ledgers)
        digest = str(ledgers[0].manifest["digest"]["total"])
        for ledger in ledgers:
            ledger.close()
    return Verdict(rows, digest, difference, scenario, seed)


def smallest(verdict: Verdict, told: Callable[[str], None] = lambda step: None, *, audited: int = 0) -> Verdict:
    """The same verdict on the smallest case found that shows the same sort of thing; an equal one stays as it is."""
    if verdict.difference is None or verdict.scenario is None:
        return verdict
    found = partial(_found, seed=verdict.seed, audited=audited)
    small, first = shrunk(verdict.scenario, verdict.difference, found, told)
    act = parting(small, verdict.seed, first.day + 1)
    if isinstance(first, Difference):
        first = _explained(small, verdict.seed, first)
    return replace(verdict, difference=first, scenario=small, parting=act)


def _found(scenario: Scenario, *, seed: int, audited: int) -> Finding | None:
    """What is wrong with a smaller case; nothing, if it cannot be run."""
    try:
        return once(scenario, seed, audited).difference
    except Exception:  # a graph may not be had for so few people; the larger case stands
        return None


def _ran(scenario: Scenario, seed: int, folder: Path, engine: str, audited: int) -> Ledger | Failure:
    """The ledger of one engine; if there are audits, also why there is none."""
    if not audited:
        try:
            return run(scenario, (seed,), (folder,), engine=engine)[0]
        except (ConservationError, ContractError):  # once more, to be told what went wrong first
            return _ran(scenario, seed, folder, engine, audited=1)
    days = [-1]  # that are over
    watch = partial(Watch, everything=scenario.record == "all", every=audited)
    try:
        (ledger,) = run(scenario, (seed,), (folder,), engine=engine, progress=days.append, watch=watch)
    except Exception as error:  # whatever a valid scenario raises is a fault of ours
        return Failure(engine, type(error).__name__, str(error), days[-1] + 1)
    report = audit(ledger)
    if report.ok:
        return ledger
    day = report.first.time // DAY if report.first else 0
    return Failure(engine, "audit", str(report.first or report), day)


def compare_ledgers(array: Ledger, events: Ledger) -> Difference | None:
    """The first row in which two ledgers differ, by time; None if they are the same."""
    found = [each for table in TABLES if (each := _first(table, array, events)) is not None]
    return min(found, key=lambda each: (each.day, TABLES.index(each.table)), default=None)


def _explained(small: Scenario, seed: int, first: Difference) -> Finding:
    """The first difference among all that a ledger can hold, and what both engines drew for those whom it concerns."""
    whole = small.model_copy(update={"record": "all"})
    found = once(whole, seed).difference
    first = found if isinstance(found, Difference) else first
    rows = [row for row in (first.array, first.events, *first.chain) if row]
    return replace(first, draws=listening.side_by_side(whole, seed, rows))


def _first(table: str, array: Ledger, events: Ledger) -> Difference | None:
    one, other = getattr(array, table), getattr(events, table)
    if one.equals(other):
        return None
    rows = min(one.num_rows, other.num_rows)
    low, high = 0, rows  # the first difference lies in [low, high]: equal prefixes are equal tables
    while low < high:
        middle = (low + high + 1) // 2
        if one.slice(0, middle).equals(other.slice(0, middle)):
            low = middle
        else:
            high = middle - 1
    pair = _pair(table, one.slice(low), other.slice(low))
    row = pair[0] or pair[1] or {}
    chain = tuple(_chain(array if pair[0] else events, int(row.get("cause") or row.get("event") or 0)))
    return Difference(table, *pair, chain)


def _pair(table: str, one: pa.Table, other: pa.Table) -> tuple[Row | None, Row | None]:
    """The first row of two tables that only one of them has, beside the row of the other that tells of the same."""
    left, right = (rows.slice(0, 1).to_pylist() for rows in (one, other))
    alone = [bool(row) and row[0] not in _same(table, rows, row[0]) for row, rows in ((left, other), (right, one))]
    order = ORDER[table]
    if alone[0] and not (alone[1] and [right[0][name] for name in order] < [left[0][name] for name in order]):
        return left[0], next(iter(_same(table, other, left[0])), None)
    if alone[1]:
        return next(iter(_same(table, one, right[0])), None), right[0]
    return left[0] if left else None, right[0] if right else None  # the same rows in another order, or one too often


def _same(table: str, rows: pa.Table, row: Row) -> list[Row]:
    """Rows that tell of the same thing as a row."""
    found = rows
    for name in KEYS[table]:
        found = found.filter(_equal(found[name], row[name]))
    return list(found.to_pylist())


def _equal(column: pa.ChunkedArray, value: Any) -> pa.ChunkedArray:
    if value is None:
        return pc.is_null(column)
    return pc.equal(column, pa.scalar(value, getattr(column.type, "value_type", column.type)))


def _chain(ledger: Ledger, event: int) -> Iterator[Mapping[str, Any]]:
    """The event, what caused it, and so on to the root."""
    while event:
        found = ledger.query("select * from events where event = $event", event=event).to_pylist()
        if not found:
            return
        yield found[0]
        event = int(found[0]["cause"])


def _mechanisms(scenario: Scenario) -> list[str]:
    """Keys of the mechanisms that anybody has switched on."""
    keys = {f"{section}.{name}" for section in ("people", "platform") for name in getattr(scenario, section)}
    for part in ("channels", "offers", "operations"):
        keys |= {f"{part}.{name}" for merchant in scenario.merchants.values() for name in getattr(merchant, part)}
    return sorted(keys)


def _line(row: Mapping[str, Any] | None) -> str:
    """A row in a line, without what is empty."""
    if row is None:
        return "has no such row"
    shown = {
        name: f"{value:016x}" if name in ("event", "cause") else value
        for name, value in row.items()
        if value not in (None, -1, 0)
    }
    return " ".join(f"{name}={value}" for name, value in shown.items())
