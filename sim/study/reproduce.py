"""Run again what a ledger says it is, and compare fingerprints: of its files, of its manifest and of the second run."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim.config.model import Scenario
from sim.errors import LedgerError, RunStopped
from sim.ledger.audit import differing_days
from sim.ledger.reader import Ledger
from sim.run import run
from sim.study import executor
from sim.words import _, marked

MOST = 5  # kinds whose counts are told


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The fingerprint that a run wrote, the one of running it again, and the first day on which they differ.

    `changed` is the first day on which the files are not those that the run wrote, whatever the second run says.
    """

    wanted: str
    got: str
    first_day: int | None = None
    changed: int | None = None
    counts: tuple[tuple[str, int, int], ...] = ()  # (kind, then, now) of that day, where they differ
    versions: tuple[tuple[str, str, str], ...] = ()  # (package, then, now), where they differ

    @property
    def same(self) -> bool:
        """Whether the files are those of the run, and the second run is the first one again."""
        return self.wanted == self.got and self.first_day is None and self.changed is None

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        tables = {"counts": ("kind", "then", "now"), "versions": ("package", "then", "now")}
        rows = {
            name: [dict(zip(keys, row, strict=True)) for row in getattr(self, name)] for name, keys in tables.items()
        }
        return {"same": self.same, **asdict(self), **rows}

    def __str__(self) -> str:
        if self.same:
            return _("the same run again: digest {digest}", digest=self.got)
        lines = []
        if self.changed is not None:
            lines.append(_("its files are not those that the run wrote, from day {day} on", day=self.changed))
        if self.first_day is not None:
            what = _("the daily counts, not the rows")
            if self.wanted != self.got:
                what = _("{wanted} then, {got} now", wanted=self.wanted, got=self.got)
            lines.append(_("run again, it differs from day {day} on: {what}", day=self.first_day, what=what))
            lines += [
                _("  that day {kind}: {then:,} then, {now:,} now", kind=kind, then=then, now=now)
                for kind, then, now in self.counts[:MOST]
            ]
            lines += [
                _("  {name} was {then}, is {now}", name=name, then=_(then), now=_(now))
                for name, then, now in self.versions
            ]
        elif self.wanted != self.got:
            said = marked("its manifest is not that of the run: digest {wanted} there, {got} of all its days")
            lines.append(_(said, wanted=self.wanted, got=self.got))
        return "\n".join(lines)


def reproduce(folder: Path) -> Reproduction:
    """Run the scenario of a run's manifest with its seed again. Raises LedgerError if the folder holds no run."""
    ledger = Ledger(folder)
    manifest = ledger.manifest
    scenario = _scenario(ledger)
    with tempfile.TemporaryDirectory(prefix="wxsim-reproduce-") as made:
        out, stop = (Path(made) / "run",), _stop_after(manifest.get("stopped", 0))
        (again,) = run(scenario, (manifest["seed"],), out, strategy=manifest["strategy"], progress=stop)
        wanted, got = manifest["digest"], again.manifest["digest"]
        day = _first(wanted, got)
        counts = () if day is None else _counts(ledger, again, day)
        again.close()
    written = {"days": ledger.digest().days(), "daily": ledger.counts_digest().days()}
    ledger.close()
    versions = _unlike(manifest.get("versions", {}), again.manifest["versions"])
    return Reproduction(wanted["total"], got["total"], day, _first(wanted, written), counts, versions)


def _stop_after(days: int) -> Callable[[int], None]:
    """What ends a run after so many days, as somebody did with the first one; 0 lets it run to its end."""

    def progress(day: int) -> None:
        executor.report(1)
        if day + 1 == days:
            raise RunStopped

    return progress


def _scenario(ledger: Ledger) -> Scenario:
    try:
        return Scenario.restore(ledger.manifest["scenario"])
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise LedgerError(
            _(
                "{folder}: its scenario cannot be run: {where}: {msg}",
                folder=ledger.folder,
                where=where,
                msg=fault["msg"],
            )
        ) from error


def _first(one: Mapping[str, Any], other: Mapping[str, Any]) -> int | None:
    """The first day on which rows or daily counts differ."""
    days = [day for what in ("days", "daily") if what in one for day in differing_days(one[what], other[what])]
    return min(days, default=None)


def _counts(then: Ledger, now: Ledger, day: int) -> tuple[tuple[str, int, int], ...]:
    """What each counted on a day, by kind, where it is not the same; the largest difference first."""
    sql = "SELECT kind, sum(count)::BIGINT FROM daily WHERE day = $day GROUP BY kind"
    one, other = (Counter(dict(ledger.rows(sql, day=day))) for ledger in (then, now))
    found = [(kind, one[kind], other[kind]) for kind in one.keys() | other.keys() if one[kind] != other[kind]]
    return tuple(sorted(found, key=lambda each: (-abs(each[1] - each[2]), each[0])))


def _unlike(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    names = sorted(then.keys() | now.keys())
    found = [(name, then.get(name, marked("unknown")), now.get(name, "unknown")) for name in names]
    return tuple((name, one, other) for name, one, other in found if one != other)
