"""Two engines, one ledger: run a scenario with both and name the first row in which they differ, in a small case.

The array engine moves whole batches, the per-event engine one session and one request at a time. If they disagree, the
case is made smaller as long as they still do (`sim.study.shrink`). What is left is run once more with every exposure
written, once while somebody listens to the draws of those whom the first difference concerns, and once with a witness
who says which mechanism, or which part of an engine, is the first to differ. If both break the same law, that is found
and made small as well: they run once more, audited after every tick.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sim.config.model import Scenario
from sim.engine.engine import BLOCK, Engine
from sim.errors import ConservationError, ContractError, WxsimError
from sim.ledger.audit import DEALS, audit
from sim.ledger.reader import Ledger
from sim.run import ENGINES, run
from sim.study import executor, listening
from sim.study.listening import Draw
from sim.study.sentence import written
from sim.study.shrink import shrunk, size
from sim.study.watch import LawBrokenError, Watch, watching
from sim.study.witness import Parting, parting
from sim.units import DAY
from sim.words import _, in_english, marked

TABLES = ("events", "postings", "stock", "daily")
SMALL, SMALL_BLOCK = (
    100,
    7,
)  # people of a small world; sessions that act together there under an odd seed, to have several
FEW = 20  # deals that say little
COMPARED = {  # in words
    "events": marked("{count:,} events (visits among them: {visits:,})"),
    "postings": marked("{count:,} moves of money, coupons and points"),
    "stock": marked("{count:,} moves of goods"),
    "daily": marked("{count:,} daily counts, also of what is not written down"),
}
KEYS = {  # what a row tells of
    "events": ("event", "kind"),
    "postings": ("event", "currency", "source", "target"),
    "stock": ("event", "item"),
    "daily": ("day", "kind", "merchant", "channel"),
}
ORDER = {table: ("day", "kind", "merchant") if table == "daily" else ("time", "event") for table in TABLES}
Row = Mapping[str, Any]
STOPPED = "run"  # what differs if one engine breaks off


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
        return marked("they differ")

    @property
    def day(self) -> int:
        """The day of the first difference."""
        days = [row["day"] if "day" in row else row["time"] // DAY for row in (self.array, self.events) if row]
        return int(min(days))

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        rows = {"array": self.array, "events": self.events}
        found = {engine: row and written(row) for engine, row in rows.items()}
        return {"table": self.table, "day": self.day, **found, "causes": [written(row) for row in self.chain]}

    def __str__(self) -> str:
        lines = [_("first difference, in {table}:", table=self.table)]
        lines += [f"  {name:6} {_line(row)}" for name, row in (("array", self.array), ("events", self.events))]
        lines += [_("  because of {row}", row=_line(row)) for row in self.chain]
        return "\n".join([*lines, *listening.told(self.draws)])


@dataclass(frozen=True, slots=True)
class Failure:
    """Both engines break off, alike: the rules are wrong, or something that they share."""

    day: int
    error: Exception
    draws: tuple[Draw, ...] = ()  # those of the event that breaks a law, and of its causes

    @property
    def sort(self) -> str:
        """The law that is broken, or the error's class."""
        return self.error.law if isinstance(self.error, LawBrokenError) else type(self.error).__name__

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"day": self.day, "sort": self.sort, "error": in_english(self.error)}

    def __str__(self) -> str:
        if not isinstance(self.error, LawBrokenError):
            said = marked("both engines stop on day {day}: {sort}: {error}")
            return _(said, day=self.day, sort=self.sort, error=self.error)
        lines = [_("both engines break the same law on day {day}, {error}", day=self.day, error=self.error)]
        lines += [_("  then also {later}", later=later) for later in self.error.breaks[1:]]
        told = {int(row["event"]): _line(row) for row in self.error.chain}
        for number, (event, doings) in enumerate(self.error.doings.items()):
            row = told.get(event) or _("event {event:016x}", event=event)
            lines.append(_("  because of {row}", row=row) if number else _("  broken by {row}", row=row))
            lines += [f"    {doing}" for doing in doings]
        return "\n".join([*lines, *listening.told(self.draws)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether both engines wrote the same ledger; if not, the smallest case found in which they do not."""

    rows: Mapping[str, int]  # rows of each table, as the array engine wrote them
    digest: str
    difference: Difference | Failure | None = None
    scenario: Scenario | None = None  # the small case
    seed: int = 0
    parting: Parting | None = None  # in the small case, the first act that is not the same in both
    kinds: Mapping[str, int] = field(default_factory=dict)  # events of each kind

    @property
    def equal(self) -> bool:
        """Whether the ledgers are the same."""
        return self.difference is None

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON. `difference` is where the engines differ, `failure` where both break off."""
        found: dict[str, Any] = {"difference": None, "failure": None}
        if self.difference is not None:
            found["failure" if isinstance(self.difference, Failure) else "difference"] = self.difference.as_dict()
        return {"equal": self.equal, "rows": dict(self.rows), "kinds": dict(self.kinds), "digest": self.digest, **found}

    def __str__(self) -> str:
        if self.difference is None or self.scenario is None:
            return "\n".join(self._same())
        said = marked("smallest case found: {size}, seed {seed}: {mechanisms}")
        mechanisms = " ".join(_mechanisms(self.scenario))
        case = _(said, size=size(self.scenario), seed=self.seed, mechanisms=mechanisms)
        if isinstance(self.difference, Failure):
            return f"{case}\n{self.difference}"
        same = _("all that mechanisms are shown and answer is the same: the books or the writer differ")
        return f"{case}\n{self.difference}\n{self.parting or same}"

    def _same(self) -> Iterator[str]:
        """What was compared, and whether that was enough to say much."""
        visits = self.kinds.get("visit", 0)
        rows = [
            _(what, count=self.rows[table], visits=visits) for table, what in COMPARED.items() if table in self.rows
        ]
        said = marked("both engines wrote the same ledger, row by row: {rows}; digest {digest}")
        yield _(said, rows=_(", ").join(rows), digest=self.digest)
        deals = sum(self.kinds.get(kind, 0) for kind in DEALS)
        if deals < FEW:
            yield _("only {deals} orders and gifts: a larger case says more; try --users N or --days D", deals=deals)


def verify(
    scenario: Scenario,
    seed: int | None = None,
    told: Callable[[str], None] = lambda step: None,
) -> Verdict:
    """Run both engines with a seed (the scenario's by default) and compare their ledgers, row by row.

    `told` hears each step. If both break off alike, or the ledger that both wrote breaks a law, they run once more,
    audited after every tick, to be told what goes wrong first. Raises StudyError if the scenario cannot be run at all.
    """
    seed = scenario.seed if seed is None else seed
    told(_("{size}, both engines", size=size(scenario)))
    try:
        return smallest(once(scenario, seed), told)
    except (ConservationError, ContractError):
        told(_("a law is broken; once more, audited after every tick"))
        return smallest(once(scenario, seed, audited=1), told, audited=1)


def once(scenario: Scenario, seed: int, audited: int = 0) -> Verdict:
    """Both engines on the scenario as it is, with an audit every `audited` ticks and of the whole, or with none.

    With audits, whatever stops both engines alike is a finding; without, it is raised, as is what the audit of the
    ledger finds that both wrote.
    """
    with tempfile.TemporaryDirectory(prefix="wxsim-verify-") as folder:
        array, events = (_ledger(scenario, seed, engine, Path(folder) / engine, audited) for engine in ENGINES)
        rows, digest, kinds = dict.fromkeys(TABLES, 0), "", {}
        if isinstance(array, Ledger):
            rows = {table: getattr(array, table).num_rows for table in TABLES}
            digest = str(array.manifest["digest"]["total"])
            kinds = {kind: int(count) for kind, count in array.rows("select kind, count(*) from events group by kind")}
        difference: Difference | Failure | None
        if isinstance(array, Ledger) and isinstance(events, Ledger):
            difference = compare_ledgers(array, events)
            if difference is None and not audited and not (report := audit(array)).ok:
                difference = Failure(0, ConservationError(in_english(report)))
        else:
            difference = _stopped(array, events)
        for ledger in (array, events):
            if isinstance(ledger, Ledger):
                ledger.close()
    if isinstance(difference, Failure) and not audited:
        raise difference.error
    return Verdict(rows, digest, difference, scenario, seed, kinds=kinds)


def smallest(verdict: Verdict, told: Callable[[str], None] = lambda step: None, audited: int = 0) -> Verdict:
    """The verdict on the smallest case found that shows the same sort of thing, and where in it the engines part."""
    if verdict.difference is None or verdict.scenario is None:
        return verdict
    seed = verdict.seed

    def found(smaller: Scenario) -> Difference | Failure | None:
        with suppress(WxsimError, ValueError):  # a case that cannot be run, or even be built, is no smaller case
            return once(smaller, seed, audited).difference
        return None

    small, first = shrunk(verdict.scenario, verdict.difference, found, told)
    parted = None
    if isinstance(first, Difference):
        told(_("looking on, act by act: {size}", size=size(small)))
        parted = parting(small, seed, first.day + 1, _block(small, seed))
        first = _explained(small, seed, first, audited)
    elif isinstance(first.error, LawBrokenError):
        first = replace(first, draws=listening.side_by_side(small, seed, first.error.chain))
    return Verdict(verdict.rows, verdict.digest, first, small, seed, parted, verdict.kinds)


def compare_ledgers(array: Ledger, events: Ledger) -> Difference | None:
    """The first row in which two ledgers differ, by time; None if they are the same."""
    found = [each for table in TABLES if (each := _first(table, array, events)) is not None]
    return min(found, key=lambda each: (each.day, TABLES.index(each.table)), default=None)


@dataclass(frozen=True, slots=True)
class _Stop:
    """An engine that broke off: the day on which, and why; mostly a law that was about to be broken."""

    day: int
    error: Exception


def _block(scenario: Scenario, seed: int) -> int:
    """Sessions that act together."""
    return SMALL_BLOCK if seed % 2 and scenario.world.people.count <= SMALL else BLOCK


def _ledger(scenario: Scenario, seed: int, engine: str, folder: Path, audited: int) -> Ledger | _Stop:
    days = [-1]

    def simulated(day: int) -> None:
        days.append(day)
        executor.report(day < scenario.horizon.days)

    options: dict[str, Any] = {"engine": engine, "block": _block(scenario, seed), "progress": simulated}
    try:
        if not audited:
            return run(scenario, (seed,), (folder,), **options)[0]
        with watching(scenario.record == "all", audited) as watch:
            watches: list[Watch] = []

            def watched(driven: Engine) -> Watch:
                watches.append(watch(driven))
                return watches[-1]

            return _sound(run(scenario, (seed,), (folder,), watch=watched, **options)[0], watches[-1])
    except Exception as error:
        if not audited and not isinstance(error, ConservationError | ContractError):
            raise
        day = error.breaks[0].time // DAY if isinstance(error, LawBrokenError) else days[-1] + 1
        return _Stop(day, error.with_traceback(None) if audited else error)  # its frames hold the run


def _sound(ledger: Ledger, watch: Watch) -> Ledger:
    """The finished ledger, if the audit has nothing to say against it."""
    report = audit(ledger)
    if not report.ok:
        ledger.close()
        raise (
            watch.in_the_end(report.breaks) if report.breaks else ConservationError(f"in the end: {in_english(report)}")
        )
    return ledger


def _stopped(array: Ledger | _Stop, events: Ledger | _Stop) -> Difference | Failure:
    """That one engine broke off. If both did, and for the same reason, the engines agree and the rules are wrong."""
    ends = [end for end in (array, events) if isinstance(end, _Stop)]
    if len(ends) == 2 and repr(ends[0].error) == repr(ends[1].error):
        return Failure(ends[0].day, ends[0].error)
    day = min(end.day for end in ends)
    one, other = (
        {"day": day, "stopped": f"{type(end.error).__name__}: {end.error}"}
        if isinstance(end, _Stop)
        else {"day": day, "went": "on"}
        for end in (array, events)
    )
    return Difference(STOPPED, one, other, ())


def _explained(small: Scenario, seed: int, first: Difference, audited: int) -> Difference:
    """The first difference among all that a ledger can hold, and what both engines drew for those whom it concerns."""
    if first.table == STOPPED:
        return first  # there is no ledger to look into
    whole = small.model_copy(update={"record": "all"})
    with suppress(WxsimError):
        found = once(whole, seed, audited).difference
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
        return _("has no such row")
    shown = {
        name: f"{value:016x}" if name in ("event", "cause") else value
        for name, value in row.items()
        if value not in (None, -1, 0)
    }
    return " ".join(f"{name}={value}" for name, value in shown.items())
