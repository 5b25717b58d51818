"""Two engines, one ledger: run a scenario with both and name the first row in which they differ, in a small case.

The array engine moves whole batches, the per-event engine one session and one request at a time. If they disagree, the
case is made smaller as long as they still do: fewer days, fewer people, fewer shops, fewer mechanisms. With an audit
after every tick, an engine that cannot finish or that breaks a law is found and made small in the same way.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sim.config.model import Scenario
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.run import ENGINES, run
from sim.study.shrink import shrunk, size
from sim.study.watch import Watch
from sim.units import DAY

TABLES = ("events", "postings", "stock", "daily")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row in which two ledgers differ, as each engine wrote it (None: it wrote no such row)."""

    table: str
    array: Mapping[str, Any] | None
    events: Mapping[str, Any] | None
    chain: tuple[Mapping[str, Any], ...]  # what led to it, from the latest cause back to the root

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
        return "\n".join(lines + [f"  because of {_line(row)}" for row in self.chain])


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether both engines wrote the same ledger; if not, the smallest case found in which they do not."""

    rows: Mapping[str, int]  # rows of each table, as the array engine wrote them
    digest: str
    difference: Finding | None = None
    scenario: Scenario | None = None  # the small case
    seed: int = 0

    @property
    def equal(self) -> bool:
        """Whether the ledgers are the same."""
        return self.difference is None


def verify(
    scenario: Scenario,
    seed: int | None = None,
    told: Callable[[str], None] = lambda step: None,
    *,
    audited: int = 0,
) -> Verdict:
    """Run both engines with a seed (the scenario's by default) and compare their ledgers, row by row.

    `told` hears each step. `audited` is how many ticks lie between two audits on the way; with 0 there is none, and
    what a run raises is raised here too. Raises StudyError if the scenario cannot be run at all.
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
    return replace(verdict, difference=first, scenario=small)


def _found(scenario: Scenario, *, seed: int, audited: int) -> Finding | None:
    """What is wrong with a smaller case; nothing, if it cannot be run."""
    try:
        return once(scenario, seed, audited).difference
    except Exception:  # a graph may not be had for so few people; the larger case stands
        return None


def _ran(scenario: Scenario, seed: int, folder: Path, engine: str, audited: int) -> Ledger | Failure:
    """The ledger of one engine; if there are audits, also why there is none."""
    if not audited:
        return run(scenario, (seed,), (folder,), engine=engine)[0]
    days = [0]
    watch = partial(Watch, everything=scenario.record == "all", every=audited)
    try:
        (ledger,) = run(scenario, (seed,), (folder,), engine=engine, progress=days.append, watch=watch)
    except Exception as error:  # whatever a valid scenario raises is a fault of ours
        return Failure(engine, type(error).__name__, str(error), days[-1])
    report = audit(ledger)
    if report.ok:
        return ledger
    day = report.first.time // DAY if report.first else 0
    return Failure(engine, "audit", str(report.first or report), day)


def compare_ledgers(array: Ledger, events: Ledger) -> Difference | None:
    """The first row in which two ledgers differ, by time; None if they are the same."""
    found = [each for table in TABLES if (each := _first(table, array, events)) is not None]
    return min(found, key=lambda each: (each.day, TABLES.index(each.table)), default=None)


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
    left, right = (part.slice(low, 1).to_pylist() for part in (one, other))
    row = (left or right)[0]
    chain = tuple(_chain(array if left else events, int(row.get("cause") or row.get("event") or 0)))
    return Difference(table, left[0] if left else None, right[0] if right else None, chain)


def _chain(ledger: Ledger, event: int) -> Iterator[Mapping[str, Any]]:
    """The event, what caused it, and so on to the root."""
    while event:
        found = ledger.query("select * from events where event = $event", event=event).to_pylist()
        if not found:
            return
        yield found[0]
        event = int(found[0]["cause"])


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
