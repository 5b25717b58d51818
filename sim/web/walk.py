"""A person's week beside the same week of the same person under another strategy, with the same luck."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sim.errors import StudyError
from sim.report.material import Cell
from sim.report.page import piece
from sim.study.steps import WEEK, Step, days, people, steps
from sim.web.result import TEMPLATES
from sim.words import _, marked

KINDS: Mapping[str, str] = {  # what people did who are worth looking at
    "order": marked("bought most"),
    "gift_sent": marked("gave most"),
    "share": marked("shared most"),
    "gift_claimed": marked("took gifts"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened under some of the strategies; None under those where it did not."""

    time: int
    sides: tuple[Step | None, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """A week of a person, moment by moment; `weeks` is how many there are."""

    user: int
    strategies: tuple[str, ...]
    week: int
    weeks: int
    first: str
    last: str
    moments: tuple[Moment, ...]


def walk(cells: Sequence[Cell], user: int, week: int | None = None) -> Walk:
    """A week under each strategy; by default the one in which most happened. StudyError if there is no such user.

    An event has the same id under every strategy under which it happens, so the sides stand beside each other.
    """
    ledgers = [cell.ledger() for cell in cells]
    try:
        known = [days(ledger, user) for ledger in ledgers]
        length = int(ledgers[0].manifest["days"])
        weeks = max(1, -(-length // WEEK))
        if week is None:
            counts = [day // WEEK for each in known for day in each if day < length]
            week = max(sorted(set(counts)), key=counts.count) if counts else 0
        week = min(max(0, week), weeks - 1)
        sides = [{step.event: step for step in steps(ledger, user, week * WEEK)} for ledger in ledgers]
        first = _date(ledgers[0].manifest, week * WEEK)
        last = _date(ledgers[0].manifest, min(length, (week + 1) * WEEK) - 1)
    finally:
        for ledger in ledgers:
            ledger.close()
    return Walk(user, tuple(cell.strategy for cell in cells), week, weeks, first, last, tuple(_moments(sides)))


def named(cell: Cell) -> list[tuple[str, int]]:
    """People to look at in a run: what they did, and their numbers; nobody twice."""
    ledger = cell.ledger()
    found = people(ledger, tuple(KINDS))
    ledger.close()
    out: dict[int, str] = {}
    for kind, users in found.items():
        for user in users[:2]:
            out.setdefault(user, KINDS[kind])
    return [(what, user) for user, what in out.items()]


def html(found: Walk, at: int) -> str:
    """The walk, standing at one of its moments."""
    return piece("walk.html.j2", TEMPLATES, walk=found, at=min(max(0, at), max(0, len(found.moments) - 1)))


def cell_of(cells: Sequence[Cell], strategy: str, number: int) -> Cell:
    """The run of a strategy in a world. StudyError if it is not finished."""
    for cell in cells:
        if (cell.strategy, cell.number) == (strategy, number):
            return cell
    raise StudyError(_("{strategy}: world {number} is not finished", strategy=strategy, number=number + 1))


def _moments(sides: Sequence[Mapping[int, Step]]) -> list[Moment]:
    """The events of all sides in order of time; those of one second as the first side has them."""
    order: dict[int, tuple[int, int]] = {}
    for side in sides:
        for at, (event, step) in enumerate(side.items()):
            order.setdefault(event, (step.time, at))
    return [
        Moment(order[event][0], tuple(side.get(event) for side in sides))
        for event in sorted(order, key=lambda each: (order[each], each))
    ]


def _date(manifest: Mapping[str, Any], day: int) -> str:
    start = manifest["scenario"].get("horizon", {}).get("start")
    return (date.fromisoformat(start) + timedelta(days=day)).isoformat() if start else str(day)
