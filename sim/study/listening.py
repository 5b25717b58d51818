"""Which random numbers a run draws at some addresses: two engines that differ are told apart by what they drew.

Listening replaces the two functions of `sim.draws` through which every number comes; a run to which nobody listens
pays nothing. Meanwhile the compiled twins of `sim.fast` are off, as nobody hears what they draw inside.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sim import draws, fast
from sim.config.model import Scenario
from sim.errors import WxsimError
from sim.run import run
from sim.units import U64
from sim.words import _
from sim.words.columns import left, right

SOURCES = ("bits", "_bits_of")  # of many addresses at once, and of one
_NO_LUCK = ("event/", "key/")  # purposes that name events and keys
_WIDE = 10**10  # an index from here on is a hash
TOLD = 24  # draws that agree and are still told


class Address(NamedTuple):
    """Where a number is drawn."""

    event: int
    purpose: str
    number: int  # its index


Heard = dict[Address, int]  # 64 bits by address


@contextmanager
def to(events: Iterable[int]) -> Iterator[Heard]:
    """Hear every number that is drawn at the address of one of these events or keys meanwhile."""
    wanted: U64 = np.array(sorted(set(events)), np.uint64)
    heard: Heard = {}
    honest, quick = {name: getattr(draws, name) for name in SOURCES}, fast.present
    try:
        fast.present = False
        for name, source in honest.items():
            setattr(draws, name, _overheard(source, wanted, heard))
        yield heard
    finally:
        fast.present = quick
        for name, source in honest.items():
            setattr(draws, name, source)


def _overheard(source: Callable[..., Any], wanted: U64, heard: Heard) -> Callable[..., Any]:
    def drawn(name: str, event: Any, index: Any = 0) -> Any:
        out = source(name, event, index)
        if not name.startswith(_NO_LUCK):
            parent, at, bits = np.broadcast_arrays(_words(event), _words(index), _words(out))
            there = np.isin(parent, wanted)
            for address in zip(parent[there].tolist(), at[there].tolist(), bits[there].tolist(), strict=True):
                heard.setdefault(Address(address[0], name, address[1]), address[2])
        return out

    return drawn


def _words(values: Any) -> U64:
    return np.asarray(values).astype(np.uint64)


@dataclass(frozen=True, slots=True)
class Draw:
    """A number that at least one of two engines drew (None: it did not), uniform on (0, 1)."""

    whose: str
    purpose: str
    index: int
    array: float | None
    events: float | None

    @property
    def differs(self) -> bool:
        """Whether the engines drew different numbers, or only one of them drew."""
        return self.array != self.events

    def __str__(self) -> str:
        index = f"..{self.index % 2**32:08x}" if self.index >= _WIDE else str(self.index)
        one, other = ("-" if drawn is None else f"{drawn:.6f}" for drawn in (self.array, self.events))
        return f"{'*' if self.differs else ' '} {self.purpose:<36} {index:>10} {one:>10} {other:>10}"


def side_by_side(scenario: Scenario, seed: int, rows: Iterable[Mapping[str, Any]]) -> tuple["Draw", ...]:
    """What each engine draws for these rows of its ledger: for the events, the visits they are from, and the people."""
    names = addresses([row for row in rows if row.get("event")], seed)
    if not names:
        return ()
    array, events = (_heard(scenario, seed, engine, names) for engine in ("array", "events"))
    return compared(array, events, names)


def addresses(rows: Sequence[Mapping[str, Any]], seed: int) -> dict[int, str]:
    """Whose draws may have made these rows what they are, by id."""
    names = {int(row["event"]): f"{row.get('kind', 'event')} {row['event']:016x}" for row in rows}
    for cause in (int(row.get("cause", 0)) for row in rows):
        if cause:
            names.setdefault(cause, _("event {event:016x}", event=cause))
    seen = [(user, row["tick"]) for row in rows if "tick" in row for user in (row["user"], row["peer"]) if user >= 0]
    keys = draws.keys(seed, "user", 1 + max((user for user, _tick in seen), default=0))
    for user, tick in seen:
        names.setdefault(
            int(draws.child(keys[user], "visit", tick)[0]),
            _("the visit of user {user} in tick {tick}", user=user, tick=tick),
        )
    for user, _tick in seen:
        names.setdefault(int(keys[user]), _("user {user}, for life", user=user))
    return names


def _heard(scenario: Scenario, seed: int, engine: str, events: Iterable[int]) -> Heard:
    """What an engine draws at these addresses. One that breaks off is heard until then."""
    with to(events) as heard, tempfile.TemporaryDirectory(prefix="wxsim-verify-") as folder, suppress(WxsimError):
        run(scenario, (seed,), (Path(folder) / engine,), engine=engine)[0].close()
    return heard


def compared(array: Heard, events: Heard, names: Mapping[int, str]) -> tuple[Draw, ...]:
    """What both engines drew, side by side, by whose address it is (`names`, by id) and purpose."""
    order = {event: place for place, event in enumerate(names)}
    addresses = sorted(array.keys() | events.keys(), key=lambda at: (order[at.event], at.purpose, at.number))
    return tuple(
        Draw(names[at.event], at.purpose, at.number, _uniform(array.get(at)), _uniform(events.get(at)))
        for at in addresses
    )


def told(found: Iterable[Draw]) -> Iterator[str]:
    """Draws in lines: all that differ, and of the others the first."""
    found = list(found)
    agree = [draw for draw in found if not draw.differs]
    shown = {id(draw) for draw in agree[:TOLD]}
    whose = ""
    if found:
        what = left(_("draws at their addresses (* differ)"), 35)
        yield f"{what} {right(_('index'), 13)} {'array':>10} {'events':>10}"
    for draw in found:
        if draw.differs or id(draw) in shown:
            if draw.whose != whose:
                whose = draw.whose
                yield _("  of {whose}", whose=whose)
            yield f"  {draw}"
    if len(agree) > TOLD:
        yield _("  ... and {count} more that agree", count=len(agree) - TOLD)


def _uniform(bits: int | None) -> float | None:
    """The number on (0, 1) that 64 bits stand for, as `draws.uniform` has it."""
    return None if bits is None else ((bits >> 11) + 0.5) * 2.0**-53
