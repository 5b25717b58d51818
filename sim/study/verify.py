"""Two engines, one ledger: run a scenario with both and name the first row in which they differ, in a small case.

The array engine moves whole batches, the per-event engine one session and one request at a time. If they disagree, the
case is made smaller as long as they still do: fewer days, fewer people, fewer mechanisms. What is left is run once more
with every exposure written, once while somebody listens to the draws of those whom the first difference concerns, and
once with a witness who says which mechanism, or which part of the engines, is the first to differ.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sim.config.model import Scenario
from sim.errors import ConservationError, ContractError, StudyError, WxsimError
from sim.ledger.reader import Ledger
from sim.run import run
from sim.study import listening
from sim.study.listening import Draw
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

FEWEST = 2  # people in a world
STOPPED = "run"  # what differs if one engine breaks off
NEEDED = ("people.browse", "platform.rules")  # without them nothing happens, or nothing may


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row in which two ledgers differ, as each engine wrote it (None: it wrote no such row)."""

    table: str
    array: Mapping[str, Any] | None
    events: Mapping[str, Any] | None
    chain: tuple[Mapping[str, Any], ...]  # what led to it, from the latest cause back to the root
    draws: tuple[Draw, ...] = ()  # at the addresses of these events, of the sessions they are from, and of their user

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
class Verdict:
    """Whether both engines wrote the same ledger; if not, the smallest case found in which they do not."""

    rows: Mapping[str, int]  # rows of each table, as the array engine wrote them
    digest: str
    difference: Difference | None = None
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
        case = f"{_size(self.scenario)}, seed {self.seed}: {' '.join(_mechanisms(self.scenario))}"
        cause = self.parting or "all that mechanisms are shown and answer is the same: the books or the writer differ"
        return f"smallest case found: {case}\n{self.difference}\n{cause}"


def verify(scenario: Scenario, seed: int | None = None, told: Callable[[str], None] = lambda step: None) -> Verdict:
    """Run both engines with a seed (the scenario's by default) and compare their ledgers, row by row.

    `told` hears each step. Raises StudyError if the scenario cannot be run at all.
    """
    seed = scenario.seed if seed is None else seed
    told(f"{_size(scenario)}, both engines")
    verdict = _once(scenario, seed)
    if verdict.difference is None:
        return verdict
    small, first = scenario, verdict.difference
    for step in (_fewer_days, _fewer_people, *_switches(scenario)):
        for smaller in step(small, first):
            told(f"they differ; trying {_size(smaller)}")
            found = None
            with suppress(WxsimError):  # a case that cannot be run is no smaller case
                found = _once(smaller, seed).difference
            if found is not None:
                small, first = smaller, found
                break
    act = parting(small, seed, first.day + 1)
    first = _explained(small, seed, first)
    return Verdict(verdict.rows, verdict.digest, first, small, seed, act)


def resized(scenario: Scenario, users: int | None = None, days: int | None = None) -> Scenario:
    """The scenario with fewer or more people and days. A graph from a file has as many people as it has."""
    if users is not None:
        if scenario.world.graph.file is not None:
            raise StudyError("the people of this scenario are those of its graph file; leave out --users")
        people = scenario.world.people.model_copy(update={"count": users})
        scenario = scenario.model_copy(update={"world": scenario.world.model_copy(update={"people": people})})
    if days is not None:
        scenario = scenario.model_copy(update={"horizon": scenario.horizon.model_copy(update={"days": days})})
    return scenario


def compare_ledgers(array: Ledger, events: Ledger) -> Difference | None:
    """The first row in which two ledgers differ, by time; None if they are the same."""
    found = [each for table in TABLES if (each := _first(table, array, events)) is not None]
    return min(found, key=lambda each: (each.day, TABLES.index(each.table)), default=None)


def _once(scenario: Scenario, seed: int) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="wxsim-verify-") as folder:
        array, events = (_ledger(scenario, seed, engine, Path(folder) / engine) for engine in ("array", "events"))
        rows, digest = dict.fromkeys(TABLES, 0), ""
        if isinstance(array, Ledger):
            rows = {table: getattr(array, table).num_rows for table in TABLES}
            digest = str(array.manifest["digest"]["total"])
        if isinstance(array, Ledger) and isinstance(events, Ledger):
            difference = compare_ledgers(array, events)
        else:
            difference = _stopped(array, events)
        for ledger in (array, events):
            if isinstance(ledger, Ledger):
                ledger.close()
    return Verdict(rows, digest, difference, scenario, seed)


@dataclass(frozen=True, slots=True)
class _Stop:
    """An engine that broke off: the day on which, and the law that was about to be broken."""

    day: int
    error: WxsimError


def _ledger(scenario: Scenario, seed: int, engine: str, folder: Path) -> Ledger | _Stop:
    days = [-1]
    try:
        return run(scenario, (seed,), (folder,), engine=engine, progress=days.append)[0]
    except (ConservationError, ContractError) as error:
        return _Stop(days[-1] + 1, error)


def _stopped(array: Ledger | _Stop, events: Ledger | _Stop) -> Difference:
    """That one engine broke off. If both did, and for the same reason, the engines agree and the rules are wrong."""
    ends = [end for end in (array, events) if isinstance(end, _Stop)]
    if len(ends) == 2 and str(ends[0].error) == str(ends[1].error):
        raise ends[0].error
    day = min(end.day for end in ends)
    one, other = (
        {"day": day, "stopped": f"{type(end.error).__name__}: {end.error}"}
        if isinstance(end, _Stop)
        else {"day": day, "went": "on"}
        for end in (array, events)
    )
    return Difference(STOPPED, one, other, ())


def _explained(small: Scenario, seed: int, first: Difference) -> Difference:
    """The first difference among all that a ledger can hold, and what both engines drew for those whom it concerns."""
    if first.table == STOPPED:
        return first  # there is no ledger to look into
    whole = small.model_copy(update={"record": "all"})
    first = _once(whole, seed).difference or first
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


Step = Callable[[Scenario, Difference], Iterator[Scenario]]  # smaller cases to try, the boldest first


def _fewer_days(scenario: Scenario, first: Difference) -> Iterator[Scenario]:
    if first.day + 1 < scenario.horizon.days:
        yield resized(scenario, days=first.day + 1)


def _fewer_people(scenario: Scenario, first: Difference) -> Iterator[Scenario]:
    count = scenario.world.people.count
    if scenario.world.graph.file is None:
        for part in (16, 8, 4, 2):
            if count // part >= FEWEST:
                yield resized(scenario, users=count // part)


def _switches(scenario: Scenario) -> Iterator[Step]:
    """One step for each mechanism that can be switched off."""
    for section in ("people", "platform"):
        for name in getattr(scenario, section):
            if f"{section}.{name}" not in NEEDED:
                yield partial(_without, section, name)
    for key, merchant in scenario.merchants.items():
        for section in ("channels", "offers"):
            for name in getattr(merchant, section):
                yield partial(_without_of, key, section, name)


def _without(section: str, name: str, scenario: Scenario, first: Difference) -> Iterator[Scenario]:
    kept = {key: params for key, params in getattr(scenario, section).items() if key != name}
    yield scenario.model_copy(update={section: kept})


def _without_of(key: str, section: str, name: str, scenario: Scenario, first: Difference) -> Iterator[Scenario]:
    merchant = scenario.merchants[key]
    kept = {each: params for each, params in getattr(merchant, section).items() if each != name}
    shop = merchant.model_copy(update={section: kept})
    yield scenario.model_copy(update={"merchants": {**scenario.merchants, key: shop}})


def _size(scenario: Scenario) -> str:
    on = len(scenario.people) + len(scenario.platform)
    on += sum(len(m.channels) + len(m.offers) + len(m.operations) for m in scenario.merchants.values())
    return f"{scenario.world.people.count:,} people × {scenario.horizon.days} days, {on} mechanisms on"


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
