"""Shares and gifts moving over the friendship graph, as one HTML file: a slider, cascades and people's stories."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import StudyError, WxsimError
from sim.ledger.reader import Ledger
from sim.metrics.genealogy import genealogy
from sim.report.layout import places
from sim.report.page import asset, render
from sim.study.sentence import Teller, short
from sim.units import I64
from sim.words import _
from sim.world.build import society
from sim.world.graph import SocialGraph
from sim.world.params import WorldParams

FILE = "diffusion.html"
MOST_PEOPLE = 2_000  # drawn
MOST_TOLD = 60  # events of one person's story
LISTED = 40  # cascades to choose from, the largest
PASSED, GIVEN, TAKEN, EXPIRED, BOUGHT, BEGUN = range(6)  # what moves; the page has a word and a colour for each

_GIFTS = """
    SELECT sent.event, sent."user", sent.peer, ended.time AS time, ended.kind = 'gift_claimed' AS taken
    FROM events AS sent LEFT JOIN events AS ended
        ON ended.cause = sent.event AND ended.kind IN ('gift_claimed', 'gift_expired')
    WHERE sent.kind = 'gift_sent' ORDER BY sent.event"""
_DEALS = 'SELECT event, "user", time FROM events WHERE list_contains($ids::UBIGINT[], event) ORDER BY event'
_LIVES = """
    SELECT * FROM events WHERE kind <> 'visit'
        AND ("user" IN (SELECT unnest($ids::INT[])) OR peer IN (SELECT unnest($ids::INT[])))
    ORDER BY time, event"""


@dataclass(frozen=True, slots=True)
class Move:
    """Something that happens to one person (`start` is `end`) or passes between two, in a cascade."""

    time: int
    kind: int
    start: int
    end: int
    cascade: int  # the event that began it


def html(folder: Path) -> str:
    """The page of a run. LedgerError if it cannot be read, StudyError if its people cannot be made again."""
    ledger = Ledger(folder)
    manifest = ledger.manifest
    graph = _graph(manifest)
    cascades = _cascades(_moves(ledger))
    chosen = _chosen(cascades, graph.rows)
    people = _people(chosen.values()) if graph.rows > MOST_PEOPLE else np.arange(graph.rows)
    ties = _ties(graph, people)
    at = {user: position for position, user in enumerate(people.tolist())}
    listed = sorted(chosen, key=lambda name: (-len(chosen[name]), name))[:LISTED]
    moves = [
        [move.time, move.kind, at[move.start], at[move.end], listed.index(name) if name in listed else -1]
        for name, move in sorted(
            ((name, move) for name, moves in chosen.items() for move in moves),
            key=lambda each: (each[1].time, each[1].kind, each[1].start, each[1].end, each[0]),
        )
    ]
    data = {
        "start": str(manifest["scenario"].get("horizon", {}).get("start", "")),
        "days": int(manifest["days"]),
        "people": people.tolist(),
        "places": places(people, ties).tolist(),
        "ties": ties.ravel().tolist(),
        "moves": moves,
    }
    lives = _lives(ledger, people)
    ledger.close()

    def tell() -> tuple[dict[str, Any], dict[str, Any]]:
        teller = Teller(ledger)
        values = {
            "strategy": manifest["strategy"],
            "seed": manifest["seed"],
            "users": graph.rows,
            "drawn": int(people.size),
            "cascades": len(cascades),
            "shown": len(chosen),
            "listed": [_named(name, chosen[name], teller) for name in listed],
        }
        return {**data, "stories": _stories(teller, lives)}, values

    title = str(manifest["scenario"].get("title") or folder.resolve().name)
    return render("diffusion.html.j2", title, tell, scripts=(asset("diffusion.js"),), styles=(asset("diffusion.css"),))


def _graph(manifest: Mapping[str, Any]) -> SocialGraph:
    """Who knows whom in the world of a run, made again from its seed."""
    try:
        return society(WorldParams.model_validate(manifest["scenario"]["world"]), int(manifest["seed"])).graph
    except (KeyError, ValueError, OSError, WxsimError) as error:
        raise StudyError(_("its people cannot be made again: {why}", why=f"{type(error).__name__}: {error}")) from None


def _moves(ledger: Ledger) -> list[Move]:
    """Everything that moves: shares and what was bought for them, gifts and what became of them."""
    return [*_of_shares(ledger), *_of_gifts(ledger)]


def _of_shares(ledger: Ledger) -> Iterable[Move]:
    found = genealogy(ledger, "shares")
    event, user, time = (found.nodes[name].tolist() for name in ("event", "user", "time"))
    root = found.trees.root.tolist()
    for own, above in enumerate(found.trees.parent.tolist()):
        first = event[root[own]]
        if above < 0:
            yield Move(time[own], BEGUN, user[own], user[own], first)
        else:
            yield Move(time[own], PASSED, user[above], user[own], first)
    mine = found.deals["node"] >= 0
    node = dict(zip(found.deals["event"][mine].tolist(), found.deals["node"][mine].tolist(), strict=True))
    for deal, buyer, when in ledger.rows(_DEALS, ids=sorted(node)):
        at = node[deal]
        yield Move(when, BOUGHT, user[at], buyer, event[root[at]])


def _of_gifts(ledger: Ledger) -> Iterable[Move]:
    found = genealogy(ledger, "gifts")
    event, time = (found.nodes[name].tolist() for name in ("event", "time"))
    place = {name: at for at, name in enumerate(event)}
    root = found.trees.root.tolist()
    for name, sender, friend, when, taken in ledger.rows(_GIFTS):
        if friend < 0:
            continue
        first = event[root[place[name]]]
        yield Move(time[place[name]], GIVEN, sender, friend, first)
        if when is not None:
            yield Move(when, TAKEN if taken else EXPIRED, friend, friend, first)


def _cascades(moves: Iterable[Move]) -> dict[int, list[Move]]:
    """Moves by the event that began their cascade, in the order of these ids."""
    out: dict[int, list[Move]] = {}
    for move in moves:
        out.setdefault(move.cascade, []).append(move)
    return dict(sorted(out.items()))


def _chosen(cascades: Mapping[int, list[Move]], users: int) -> Mapping[int, list[Move]]:
    """All cascades of a small world; of a larger one the largest, then others by lot, as long as there is room.

    Ids are hashes, so their order is a lot that has nothing to do with size; each cascade is taken whole or not at all.
    """
    if users <= MOST_PEOPLE:
        return cascades
    largest = sorted(cascades, key=lambda name: (-len(cascades[name]), name))[:1]
    chosen: dict[int, list[Move]] = {}
    there: set[int] = set()
    for name in [*largest, *(name for name in cascades if name not in largest)]:
        more = there | {user for move in cascades[name] for user in (move.start, move.end)}
        if len(more) <= MOST_PEOPLE:
            there, chosen[name] = more, cascades[name]
    return chosen


def _people(chosen: Iterable[list[Move]]) -> I64:
    found = {user for moves in chosen for move in moves for user in (move.start, move.end)}
    return np.array(sorted(found), np.int64)


def _ties(graph: SocialGraph, people: I64) -> I64:
    """Ties among the people drawn, as pairs of their positions, the smaller first."""
    place = np.full(graph.rows, -1, np.int64)
    place[people] = np.arange(people.size)
    one, other = place[graph.owner()], place[graph.indices]
    both = (one >= 0) & (other > one)
    return np.stack([one[both], other[both]], axis=1)


def _lives(ledger: Ledger, people: I64) -> list[list[Mapping[str, Any]]]:
    """What the ledger holds of each person, the first events."""
    place = {user: at for at, user in enumerate(people.tolist())}
    out: list[list[Mapping[str, Any]]] = [[] for _person in place]
    for row in ledger.query(_LIVES, ids=people.tolist()).to_pylist():
        for at in {place[user] for user in (row["user"], row["peer"]) if user in place}:
            if len(out[at]) < MOST_TOLD:
                out[at].append(row)
    return out


def _stories(teller: Teller, lives: list[list[Mapping[str, Any]]]) -> list[list[str]]:
    """A dated sentence for each event of each life."""
    told: dict[int, str] = {}  # an event may concern two people
    for row in (row for life in lives for row in life):
        if row["event"] not in told:
            told[row["event"]] = f"{teller.when(row['time'])}  {teller.sentence(row)} [{short(row['event'])}]"
    return [[told[row["event"]] for row in life] for life in lives]


def _named(name: int, moves: list[Move], teller: Teller) -> dict[str, Any]:
    """A cascade in the list: the event that began it, its kind and size."""
    people = {user for move in moves for user in (move.start, move.end)}
    gift = any(move.kind == GIVEN for move in moves)
    first = min(moves, key=lambda move: (move.time, move.kind))
    return {
        "event": short(name),
        "gift": gift,
        "steps": sum(move.kind in (PASSED, GIVEN, BEGUN) for move in moves),
        "orders": sum(move.kind == BOUGHT for move in moves),
        "people": len(people),
        "when": teller.when(first.time),
        "who": first.start,
    }
