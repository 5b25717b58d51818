"""The fingerprint of a scenario: what happens on each day under each strategy, small enough for a reviewer to read.

One table per strategy: a row per kind of record with its count on each day of the horizon, and a last row with the
first digits of the day's order-free digest, which moves with anything that was written on that day (details, such as
exposures, are counted only). Days after the horizon are one column, ``later``. A later strategy shows only the rows
in which it differs from the first one::

    == store only
                            0     1     2 later
    order                   .    12    31     .
    digest              84b02 ce16f 0f3aa 91c44
"""

from collections.abc import Iterator, Mapping

from sim.config.model import Scenario
from sim.ledger.reader import Ledger
from sim.run import run
from sim.study.shrink import resized, soon

LATER, DIGEST = "later", "digest"
NOTHING = "."  # a day without a row of that kind
ALONE = "as it stands"  # the name of a scenario that has no strategies
_TITLE = "== "
_NAME, _CELL = 20, 6  # widths of the columns
_DIGITS = 5  # of a digest: a change goes unseen on a day once in a million times

Table = Mapping[str, Mapping[str, str]]  # kind (or `digest`) -> day -> what stands there


def fingerprint(scenario: Scenario, people: int, days: int) -> dict[str, Table]:
    """The tables of a scenario, by strategy, at a small size (a graph from a file keeps its people)."""
    tables: dict[str, Table] = {}
    for name, strategy in (scenario.strategies or {ALONE: scenario}).items():
        small = soon(resized(strategy, people if strategy.world.graph.file is None else None, days))
        (ledger,) = run(small, strategy=name)
        tables[name] = table(ledger)
        ledger.close()
    return tables


def table(ledger: Ledger) -> Table:
    """Counts by kind and day, and the digest of each day."""
    horizon = range(int(ledger.manifest["days"]))
    counts: dict[str, dict[str, int]] = {}
    for kind, day, count in ledger.rows("select kind, day, sum(count) from daily group by 1, 2 order by 1, 2"):
        cells = counts.setdefault(kind, dict.fromkeys(_days(len(horizon)), 0))
        cells[_column(day, horizon)] += int(count)
    digests = dict.fromkeys(_days(len(horizon)), 0)
    for day, digest in ledger.manifest["digest"]["days"].items():
        digests[_column(int(day), horizon)] += int(digest, 16)
    shown = {
        kind: {day: str(count) if count else NOTHING for day, count in row.items()} for kind, row in counts.items()
    }
    return shown | {DIGEST: {day: f"{digest % 16**32:032x}"[:_DIGITS] for day, digest in digests.items()}}


def write(tables: Mapping[str, Table]) -> str:
    """The tables as text."""
    return "\n".join("\n".join(_block(name, shown)) for name, shown in _folded(tables).items()) + "\n"


def read(text: str) -> dict[str, Table]:
    """The tables that `write` wrote."""
    tables: dict[str, Table] = {}
    for block in text.split(_TITLE)[1:]:
        name, head, *lines = block.rstrip().split("\n")
        days = head.split()
        rows = {kind: dict(zip(days, cells, strict=True)) for kind, *cells in map(str.split, lines)}
        tables[name] = {**next(iter(tables.values()), {}), **rows}
    return tables


def moves(before: Mapping[str, Table], after: Mapping[str, Table]) -> list[str]:
    """What differs, a line each: ``store only: order on day 12: 31 -> 33``."""
    return [
        f"{name}: {kind} {'after the horizon' if day == LATER else f'on day {day}'}: {old} -> {new}"
        for name in {**before, **after}
        for kind, day, old, new in _cells(before.get(name, {}), after.get(name, {}))
        if old != new
    ]


def _cells(before: Table, after: Table) -> Iterator[tuple[str, str, str, str]]:
    """Every kind and day of either table, with what stands in both."""
    for kind in {**before, **after}:
        one, other = before.get(kind, {}), after.get(kind, {})
        for day in {**one, **other}:
            yield kind, day, one.get(day, NOTHING), other.get(day, NOTHING)


def _days(horizon: int) -> tuple[str, ...]:
    return (*map(str, range(horizon)), LATER)


def _column(day: int, horizon: range) -> str:
    return str(day) if day in horizon else LATER


def _folded(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Tables after the first without the rows that are the same there; a kind that is only there is all nothing."""
    (first, base), *others = tables.items()
    out: dict[str, Table] = {first: base}
    for name, rows in others:
        nothing = dict.fromkeys(rows[DIGEST], NOTHING)
        whole = {kind: rows.get(kind, nothing) for kind in sorted({*base, *rows} - {DIGEST})} | {DIGEST: rows[DIGEST]}
        out[name] = {kind: row for kind, row in whole.items() if kind == DIGEST or row != base.get(kind, nothing)}
    return out


def _block(name: str, rows: Table) -> Iterator[str]:
    yield _TITLE + name
    yield " " * _NAME + "".join(f"{day:>{_CELL}}" for day in rows[DIGEST])
    for kind, cells in rows.items():
        yield f"{kind:<{_NAME}}" + "".join(f"{cells[day]:>{_CELL}}" for day in rows[DIGEST])
