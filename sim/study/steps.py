"""A user's days step by step: each thing that she did or that was done to her, and what led to it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sim.errors import StudyError
from sim.ledger.reader import Ledger
from sim.study.sentence import Teller
from sim.study.trace import Row, by_id, events, rank
from sim.units import DAY
from sim.words import _

NAMED = 4  # people named for each thing that they did
WEEK = 7
_DID = """
    SELECT "user", count(*) AS count FROM events WHERE kind = $kind AND "user" >= 0
    GROUP BY ALL ORDER BY count DESC, "user" LIMIT $most"""
_DAYS = """
    SELECT DISTINCT time // $day AS day FROM events
    WHERE kind <> 'visit' AND ("user" = $user OR peer = $user) ORDER BY day"""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a person. `led` are the sentences of what led to it, from the first cause on."""

    event: int
    time: int  # seconds from the scenario's start
    when: str
    told: str
    led: tuple[str, ...]


def days(ledger: Ledger, user: int) -> list[int]:
    """The days on which something happened to a user. StudyError if there is no such user."""
    users = int(ledger.manifest["users"])
    if not 0 <= user < users:
        raise StudyError(_("no user {user}; there are users 0 to {last}", user=user, last=users - 1))
    return [day for (day,) in ledger.rows(_DAYS, user=user, day=DAY)]


def steps(ledger: Ledger, user: int, first: int, count: int = WEEK) -> list[Step]:
    """What happened to a user on `count` days from the `first` one on, in order of time, causes first."""
    where = '("user" = $user OR peer = $user) AND time >= $begin AND time < $end'
    own = events(ledger, where, user=user, begin=first * DAY, end=(first + count) * DAY)
    known = _with_causes(ledger, own)
    teller, details = Teller(ledger, user), ledger.manifest["kinds"]
    own.sort(key=lambda row: (row["time"], *rank(row, details)))
    return [
        Step(
            row["event"], row["time"], teller.when(row["time"]), teller.sentence(row),
            tuple(f"{teller.when(each['time'])}: {teller.sentence(each)}" for each in _led(row, known)),
        )
        for row in own
    ]  # fmt: skip


def people(ledger: Ledger, kinds: Sequence[str]) -> dict[str, list[int]]:
    """Who did each kind of thing most often, a few by kind."""
    return {kind: [user for user, _ in ledger.rows(_DID, kind=kind, most=NAMED)] for kind in kinds}


def _with_causes(ledger: Ledger, own: Iterable[Row]) -> dict[int, Row]:
    """Events and all that led to them, by id."""
    known = {row["event"]: row for row in own}
    wanted = {row["cause"] for row in known.values()} - known.keys() - {0}
    while wanted:
        found = {row["event"]: row for row in by_id(ledger, wanted)}
        known |= found
        wanted = {row["cause"] for row in found.values()} - known.keys() - {0}
    return known


def _led(row: Row, known: dict[int, Row]) -> Iterator[Row]:
    """What led to an event, from the first cause on."""
    chain: list[Row] = []
    while (row := known.get(row["cause"], {})) and row not in chain:
        chain.append(row)
    yield from reversed(chain)
