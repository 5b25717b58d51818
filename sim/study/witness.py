"""Where two engines part: every mechanism's answers in both, act by act, up to the first that differs.

The ledger shows a bug where it first leaves a trace, which may be days after it and with another mechanism. So both
engines run once more while somebody writes down what they show to each session, how they settle each request, and
what each mechanism answers. Of the first act that is not the same in both either the answer differs although
everything shown before was the same, and the mechanism is to blame; or what was shown differs, and the engine is.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim import catalog
from sim.config.model import Scenario
from sim.contract import PHASES, STAGES, Effects, View
from sim.engine.crew import Crew
from sim.engine.engine import BLOCK
from sim.errors import WxsimError
from sim.ledger.schema import Postings, Records, Table
from sim.run import ENGINES, WIND_DOWN_DAYS
from sim.units import DAY, Array, Bools
from sim.words import _, marked
from sim.world.build import build
from sim.world.calendar import Calendar

HOOKS = ("agenda", "plan", *PHASES)  # in the order of a tick
ENGINE = -1  # rank of what the engine shows: before what the mechanisms answer to it
SHOWN = {
    "arrive": marked("the engines show other people, rows of their own, shared columns or posts"),
    "deliver": marked("the engines' mail brings other messages"),
    "settle": marked("the engines' desks settle otherwise: who is granted what"),
    "respond": marked("the engines tell sessions other outcomes of their requests"),
}
WINDOW = ("attend", "appraise", "choose", "checkout")  # where sessions look at exposures
LINES = 4  # of each engine that are printed
WIDTH = 200

Place = tuple[int, int, int, int]  # tick, hook, stage of settling, rank of the mechanism
Facts = Iterator[tuple[str, int]]  # in words, and how often (of a tally: how much)


@dataclass(frozen=True, slots=True)
class Parting:
    """The first act that is not the same in both engines."""

    tick: int
    hook: str
    mechanism: str  # whose answer differs; "" if the engines differ in what they show or settle
    array: tuple[str, ...]  # what only the array engine has
    events: tuple[str, ...]  # what only the per-event engine has
    both: tuple[str, ...] = ()  # requests of the same second that both settle alike

    def __str__(self) -> str:
        if self.mechanism:
            said = _(
                "{mechanism} answers `{hook}` otherwise for a batch than for one at a time",
                mechanism=self.mechanism,
                hook=self.hook,
            )
            last = _("  all that it was shown is the same: it depends on who else is in the batch, or on its own past")
        else:
            what = _(SHOWN.get(self.hook, marked("the engines show other exposures")))
            said = _("{what} (`{hook}`)", what=what, hook=self.hook)
            last = _("  of one second the smaller event id comes first") if self.one_second else ""
        lines = [_("they part in tick {tick}: {said}", tick=self.tick, said=said)]
        for who, facts in (("array", self.array), ("events", self.events), ("both", self.both)):
            lines += [f"  {who:6} {fact[:WIDTH]}" for fact in facts[:LINES]]
            lines += [_("  {who:6} and {count} more", who=who, count=len(facts) - LINES)] if len(facts) > LINES else []
        return "\n".join([*lines, last] if last else lines)

    @property
    def one_second(self) -> bool:
        """Whether several requests of one second are settled otherwise, or beside one that is."""
        return self.hook == "settle" and bool(
            self.both or len({_second(fact) for fact in self.array}) < len(self.array)
        )


def parting(scenario: Scenario, seed: int, days: int, block: int = BLOCK) -> Parting | None:
    """Where the engines part within so many days; None if nothing but the writing of the ledger can differ."""
    array, events = (_witness(scenario, seed, engine, days, block) for engine in ENGINES)
    for place in sorted(array.acts.keys() | events.acts.keys()):
        one, other = array.acts.get(place, Counter()), events.acts.get(place, Counter())
        tick, hook, _, rank = place
        only = _only(one, other) if tick < events.stopped else (), _only(other, one) if tick < array.stopped else ()
        if any(only):
            seconds = {_second(fact) for facts in only for fact in facts}
            beside = [fact for fact in sorted(one & other) if _second(fact) in seconds]
            name = "" if rank == ENGINE else array.names[rank]
            return Parting(
                tick, HOOKS[hook], name, *only, tuple(beside) if HOOKS[hook] == "settle" and not name else ()
            )
    return None


def _second(fact: str) -> str:
    """The word of a request that tells its second."""
    return next((word for word in fact.split() if word.startswith("time=")), "time=0")


def _only(one: Counter[str], other: Counter[str]) -> tuple[str, ...]:
    """What is in one and not, or not as often, in the other."""
    return tuple(f"{fact} × {n}" if n != 1 else fact for fact, n in sorted(one.items()) if n and n != other[fact])


def _witness(scenario: Scenario, seed: int, engine: str, days: int, block: int = BLOCK) -> "Witness":
    """Run an engine for some days with somebody looking on. An engine that stops has been seen until then."""
    world = build(scenario.world, scenario.merchants, (seed,))
    crew = Crew(scenario, world)
    witness = Witness(crew)
    calendar = Calendar(scenario.horizon.start, scenario.horizon.days + WIND_DOWN_DAYS)
    tick = scenario.horizon.tick
    driven = ENGINES[engine](crew, world, calendar, catalog.channels(), tick, scenario.horizon.days, Nobody(), block)
    try:
        driven.run(days * DAY // tick)
    except WxsimError:
        witness.stopped = driven.view.clock.tick
    return witness


class Nobody:
    """A recorder who writes nothing."""

    def events(self, kind: str, rows: Records, tick: int, written: Array | None = None) -> None:
        """Nothing."""

    def postings(self, currency: str, rows: Postings, tick: int) -> None:
        """Nothing."""


class Witness:
    """Writes down what the mechanisms of a crew are shown and what they answer."""

    def __init__(self, crew: Crew) -> None:
        self.acts: dict[Place, Counter[str]] = {}
        self.stopped: float = math.inf  # the tick in which the engine broke off: what it did not do then says nothing
        self.names = [f"{mechanism.folder}.{mechanism.name}" for mechanism in crew.mechanisms]
        self._stages = {kind: STAGES.index(k.stage) if k.stage else 0 for kind, k in crew.kinds.items()}
        self._last: dict[str, bytes] = {}
        for rank, mechanism in enumerate(crew.mechanisms):
            for hook in HOOKS:
                if hasattr(mechanism, hook):
                    setattr(mechanism, hook, self._heard(hook, rank, getattr(mechanism, hook)))

    def _heard(self, hook: str, rank: int, ask: Callable[..., Any]) -> Callable[..., Any]:
        """The same method, with what it was shown and what it answers written down."""

        def asked(view: View, *args: Any) -> Any:
            stage = self._stages[args[0]] if hook == "settle" else 0
            before = view.clock.tick, HOOKS.index(hook), stage, ENGINE
            shown = self.acts.setdefault(before, Counter())
            for fact, _count in self._shown(view, hook, args):
                shown[fact] = 1
            answer = ask(view, *args)
            heard = self.acts.setdefault((*before[:3], rank), Counter())
            for fact, count in _answered(view, answer):
                heard[fact] += count
            return answer

        return asked

    def _shown(self, view: View, hook: str, args: tuple[Any, ...]) -> Facts:
        if hook == "arrive":
            yield from _people(view)
            yield from self._shared(view)
        elif hook == "deliver":
            for kind, inbox in view.inboxes.items():
                yield from _rows(f"user finds {kind}", inbox.rows)
        elif hook == "settle":
            kind, rows, granted = args
            yield from _settled(kind, rows, granted)
        elif hook == "respond":
            for kind, outcome in view.outcomes.items():
                yield from _settled(f"own {kind}", outcome.rows, outcome.granted)
        elif hook in WINDOW:
            e = view.exposures
            for at in range(len(e)):
                columns = " ".join(_word(name, getattr(e, name)[at].tolist()) for name in e.__slots__[1:])
                yield f"user {view.sessions.user[e.session[at]]} has before her eyes {columns}", 1

    def _shared(self, view: View) -> Facts:
        """Shared columns and posts that have changed since the last look."""
        tables = {f"{t}.{c}": view.state[t][c] for t in ("merchant", "product", "variant") for c in view.state[t]}
        posts = {f"posts {kind}": rows.event for kind, rows in view.contents.items()}
        for name, values in (tables | posts).items():
            if self._last.get(name) != values.tobytes():
                self._last[name] = values.tobytes()
                yield f"shared {name} {values.tolist()}", 1


def _people(view: View) -> Facts:
    """Each session with the user's own row."""
    user, now = view.state["user"], view.sessions
    columns = {name: view.relations(name).tolist() for name in view.relation_columns}
    for at, (who, time, planned) in enumerate(zip(now.user, now.time, now.planned, strict=True)):
        own = " ".join(f"{name}={column[who].tolist()}" for name, column in user.items())
        known = np.flatnonzero(view.related == at).tolist()
        ties = [{name: values[tie] for name, values in columns.items()} for tie in known]
        yield f"user {who} opens WeChat at {time} planned={planned} {own} {ties}", 1


def _settled(kind: str, rows: Records, granted: Bools) -> Facts:
    for (line, _count), yes in zip(_rows(kind, rows), granted, strict=True):
        yield f"{line}: {'granted' if yes else 'refused'}", 1


def _answered(view: View, answer: Any) -> Facts:
    """An answer in words, piece by piece."""
    if isinstance(answer, Records):
        yield from _rows("plans", answer)
    elif isinstance(answer, dict):
        for kind, rows in answer.items():
            yield from _rows(f"plans {kind}", rows)
    elif answer:
        yield from _for_others(answer)
        yield from _own_row(view, answer)
        yield from _window(view, answer)


def _for_others(fx: Effects) -> Facts:
    for what in ("event", "message", "request", "publication"):
        for kind, rows in getattr(fx, what + "s"):
            yield from _rows(f"{what} {kind}", rows)
    for rows in fx.wakes:
        yield from _rows("wake", rows)
    for currency, moves in fx.posts:
        yield from _rows(f"move of {currency}", moves)
    for table, column, index, amount in fx.tallies:
        for at, more in zip(*np.broadcast_arrays(index, amount), strict=True):
            yield f"tally {table}.{column} of {at}", int(more)
    for table, column, values in fx.sets:
        yield f"put {table}.{column} {values.tolist()}", 1
    for subjects, holders in fx.opens:
        for subject, holder in zip(subjects.tolist(), holders.tolist(), strict=True):
            yield f"opens {subject:016x} for {holder}", 1
    for subjects in fx.closes:
        yield from ((f"closes {subject:016x}", 1) for subject in subjects.tolist())


def _own_row(view: View, fx: Effects) -> Facts:
    user = view.sessions.user
    for op, column, session, value in fx.changes:
        for who, what in zip(user[session], value.tolist(), strict=True):
            yield f"user {who} {op} {column} {what}", 1
    for op, column, session, merchant, value in fx.relations:
        for who, whom, what in zip(user[session], merchant, value.tolist(), strict=True):
            yield f"user {who} with merchant {whom} {op} {column} {what}", 1
    for name, values in fx.scratch:  # a note that says nothing may as well be left out
        for who, what in zip(user, values.tolist(), strict=True):
            said = [each for each in what if each] if isinstance(what, list) else what
            if said not in (0, -1, []):
                yield f"user {who} notes {name} {said}", 1


def _window(view: View, fx: Effects) -> Facts:
    user, e = view.sessions.user, view.exposures
    for proposal in fx.exposures:
        size = proposal["session"].size
        columns = {name: np.broadcast_to(column, size).tolist() for name, column in proposal.items()}
        for at, session in enumerate(columns.pop("session")):
            yield f"user {user[session]} is shown " + " ".join(_word(k, v[at]) for k, v in columns.items()), 1
    for delta in fx.appeals:
        yield from ((f"{_exposure(view, at)} appeal {float(delta[at])!r}", 1) for at in np.flatnonzero(delta).tolist())
    for rows, off, layer in fx.discounts:
        for at, less in zip(*np.broadcast_arrays(rows, off), strict=True):
            yield f"{_exposure(view, at)} is {less} fen cheaper in the layer {layer}", 1
    for rows, quantity in fx.bundles:
        for at, pieces in zip(rows, quantity, strict=True):
            yield f"{_exposure(view, at)} is for {pieces} pieces", 1
    for rows, above, off in fx.reductions:
        for at, limit, less in zip(rows, above, off, strict=True):
            yield f"{_exposure(view, at)} is {less} fen cheaper from {limit} fen", 1
    for rows, above, gap in fx.top_ups:
        for at, limit, most in zip(rows, above, gap, strict=True):
            yield f"{_exposure(view, at)} grows by at most {most} fen to reach {limit} fen", 1
    for rows in fx.put_offs:
        yield from ((f"{_exposure(view, at)} would be put off", 1) for at in rows.tolist())
    for what in ("kept", "viewed"):
        if (mask := getattr(fx, what)) is not None and mask.size == len(e):
            yield from ((f"{_exposure(view, at)} {what}", 1) for at in np.flatnonzero(mask).tolist())
    if fx.chosen is not None:
        yield from ((f"{_exposure(view, at)} chosen", 1) for at in fx.chosen.tolist())


def _exposure(view: View, at: int) -> str:
    e = view.exposures
    return f"user {view.sessions.user[e.session[at]]} product {e.product[at]} by {catalog.channels()[e.channel[at]]}"


def _rows(what: str, rows: Table) -> Facts:
    """Rows in words, without what is empty."""
    for at in range(rows.n):
        row = ((name, getattr(rows, name)[at].item(), empty) for name, (_, empty) in rows.schema.items())
        yield " ".join([what, *(_word(name, value) for name, value, empty in row if value != empty)]), 1


def _word(name: str, value: Any) -> str:
    if name == "channel" and value >= 0:
        value = catalog.channels()[value]
    return f"{name}={value:016x}" if name in ("event", "cause") else f"{name}={value}"
