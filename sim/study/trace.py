"""A ledger told in words: the life of a user, and why an event happened, back to its exogenous root."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from sim.errors import StudyError
from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS
from sim.metrics.cascades import forest, nearest
from sim.study.sentence import ID_DIGITS, Teller, short, written
from sim.units import DAY, yuan
from sim.words import ENGLISH, _, marked, several, speaking, told
from sim.words.columns import width, wrap

Row = Mapping[str, Any]

WIDTH = 80
BELOW, DEEPEST = 24, 6  # events told of what followed, and how far down; the rest is counted
CANDIDATES = 6  # events named when the beginning of an id fits several
_CLOCK = len("14:03:07  ")
_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,16})")


def life(ledger: Ledger, user: int) -> str:
    """Everything that a user does and that is done to her, day by day. StudyError if there is no such user."""
    users = int(ledger.manifest["users"])
    if not 0 <= user < users:
        raise StudyError(
            _("{folder}: no user {user}; there are users 0 to {last}", folder=ledger.folder, user=user, last=users - 1)
        )
    rows = events(ledger, _OF_USER, user=user)
    told = _Life(ledger, user, rows)
    counts = _counts(row["kind"] for row in rows) or _("nothing written")
    lines = [*_head(_("User {user}", user=user), ledger), *_wrapped("", counts)]
    for day, of_day in groupby(rows, lambda row: int(row["time"]) // DAY):
        lines += ["", told.teller.day(day)]
        for _second, together in groupby(of_day, lambda row: int(row["time"])):
            lines += told.second(list(together))
    return "\n".join([*lines, *_unrecorded(ledger)])


def story(ledger: Ledger, event: str) -> str:
    """Why an event happened and what came of it; `event` is its id or the beginning of it, in hexadecimal digits."""
    row = _find(ledger, event)
    teller, chain = Teller(ledger), _chain(ledger, row)
    what = _("Event {event:016x} ({kind})", event=row["event"], kind=row["kind"])
    lines = [*_head(what, ledger), "", _("Why it happened")]
    lines += _wrapped("  ", _root(ledger, teller, chain[0]))
    for each in chain:
        lines += _dated(teller, each, "  → " if each is row else "    ")
    below = _Descent(ledger, row)
    lines += ["", *below.lines(teller), "", *_moves(ledger, teller, row, below.ids)]
    return "\n".join([*lines, *_unrecorded(ledger)])


def hints(ledger: Ledger) -> str:
    """What to ask for, with a few examples from this ledger."""
    lines = [_("give --user N for a life, or --event ID for the story of an event; such as:")]
    lines += [f"  --{what:<18} {why}" for what, why in _examples(ledger)]
    return "\n".join(lines)


def life_as_dict(ledger: Ledger, user: int) -> dict[str, Any]:
    """What `life` tells, ready for JSON: events in order of time."""
    return {"user": user, "events": [written(row) for row in events(ledger, _OF_USER, user=user)]}


def story_as_dict(ledger: Ledger, event: str) -> dict[str, Any]:
    """What `story` tells, ready for JSON: what led to the event, root first, all that followed, what it moved."""
    row = _find(ledger, event)
    causes, followed = _chain(ledger, row)[:-1], by_id(ledger, _Descent(ledger, row).ids)
    rows = {"causes": causes, "followed": followed, "moves": _moved(ledger, row)}
    return {"event": written(row), **{name: [written(each) for each in found] for name, found in rows.items()}}


def hints_as_dict(ledger: Ledger) -> dict[str, Any]:
    """What `hints` tells, ready for JSON."""
    with speaking(ENGLISH):
        return {"examples": [{"option": f"--{what}", "shows": why} for what, why in _examples(ledger)]}


# ------------------------------------------------------------------------------------------------------ a life


class _Life:
    """One user's events, told second by second; what happens in a visit stands under it."""

    def __init__(self, ledger: Ledger, user: int, rows: Sequence[Row]) -> None:
        self.teller = Teller(ledger, user)
        self._user = user
        self._details: Mapping[str, bool] = ledger.manifest["kinds"]
        self._own = {row["event"]: row for row in rows}
        elsewhere = {row["cause"] for row in rows} - self._own.keys() - {0}
        self._others = {row["event"]: row for row in by_id(ledger, elsewhere)}

    def second(self, rows: list[Row]) -> list[str]:
        """What happened in one second: each event under its cause, or under the visit in which she did it."""
        rows.sort(key=lambda row: rank(row, self._details))
        here = {row["event"] for row in rows}
        visit = next((row["event"] for row in rows if not row["cause"] and row["user"] == self._user), None)
        under: dict[Any, list[Row]] = {}
        for row in rows:
            above = row["cause"] if row["cause"] in here else visit if row["user"] == self._user else None
            under.setdefault(above if above != row["event"] else None, []).append(row)
        lines = list(self._told(under, None, ""))
        clock = self.teller.clock(rows[0]["time"])
        return [("" if at else clock).ljust(_CLOCK) + line for at, line in enumerate(lines)]

    def _told(self, under: Mapping[Any, list[Row]], above: Any, indent: str) -> Iterator[str]:
        known = {0, above}
        for row in under.get(above, ()):
            yield from _wrapped(indent, f"{self.teller.sentence(row)} [{short(row['event'])}]", _CLOCK)
            if row["cause"] not in known and not self._plain(row):
                yield from _wrapped(f"{indent}  ← ", self._because(row["cause"]), _CLOCK)
            known.add(row["cause"])
            yield from self._told(under, row["event"], indent + "  ")

    def _plain(self, row: Row) -> bool:
        """Whether somebody did it in her own visit, which needs no saying."""
        cause = self._others.get(row["cause"])
        return cause is not None and (cause["user"], cause["time"]) == (row["user"], row["time"])

    def _because(self, cause: int) -> str:
        if cause in self._own:
            return f"{self.teller.when(self._own[cause]['time'])} [{short(cause)}]"
        if cause in self._others:
            row = self._others[cause]
            said = _("{when}: {sentence}", when=self.teller.when(row["time"]), sentence=self.teller.sentence(row))
            return f"{said} [{short(cause)}]"
        return _("event {event:016x}, which this ledger does not hold", event=cause)


def rank(row: Row, details: Mapping[str, bool]) -> tuple[Any, ...]:
    """The order within a second: roots first, then what she noticed, by kind, then what she paid, then all else."""
    detail = details.get(row["kind"], False)
    return row["cause"] != 0, not detail, row["kind"] if detail else "", row["kind"] not in DEALS, row["event"]


# ------------------------------------------------------------------------------------------------------ a story


class _Descent:
    """All that followed from an event: its effects, theirs, and so on."""

    def __init__(self, ledger: Ledger, row: Row) -> None:
        self._root = int(row["event"])
        self._kind: dict[int, str] = {}
        self._above: dict[int, int] = {}
        self._shown: set[int] = {self._root}
        details = ledger.manifest["kinds"]
        edge, depth = [self._root], 0
        while edge:
            depth += 1
            found = ledger.rows(_EFFECTS, ids=edge)
            found = [(e, cause, kind) for e, cause, kind in found if e != self._root and e not in self._above]
            self._above |= {e: cause for e, cause, _ in found}
            self._kind |= {e: kind for e, _, kind in found}
            edge = [e for e, *_ in found]
            for e, cause, _kind in sorted(found, key=lambda each: details.get(each[2], False)):
                if depth <= DEEPEST and cause in self._shown and len(self._shown) <= BELOW:
                    self._shown.add(e)
        self._rows = by_id(ledger, self._shown - {self._root})
        self._hidden = self._counted()

    @property
    def ids(self) -> list[int]:
        """Ids of all that followed."""
        return [*self._above]

    def lines(self, teller: Teller) -> list[str]:
        """What followed, as a tree."""
        if not self._above:
            return [_("Nothing followed from it.")]
        return [
            *_wrapped("", _("What followed, {counts}", counts=_counts(self._kind.values()))),
            *self._tree(teller, self._root, "    "),
        ]

    def _tree(self, teller: Teller, above: int, indent: str) -> Iterator[str]:
        for row in self._rows:
            if self._above[row["event"]] == above:
                yield from _dated(teller, row, indent)
                yield from self._tree(teller, row["event"], indent + "  ")
        if above in self._hidden:
            yield from _wrapped(indent, _("... and {counts}", counts=_counts(self._hidden[above])))

    def _counted(self) -> Mapping[int, list[str]]:
        """Kinds of what is only counted, by the nearest cause that is told."""
        over, hidden = {event: event for event in self._shown}, dict[int, list[str]]()
        for event, above in self._above.items():  # causes come first
            if event not in self._shown:
                over[event] = over[above]
                hidden.setdefault(over[event], []).append(self._kind[event])
        return hidden


def _root(ledger: Ledger, teller: Teller, first: Row) -> str:
    """Where a chain of causes begins."""
    if first["cause"]:
        kinds = _details(ledger)
        said = _("The chain breaks here: the cause {event:016x} is not in this ledger", event=first["cause"])
        if kinds:
            said = _(
                "{said}; it may be one of those that are written only with --record all: {kinds}",
                said=said,
                kinds=kinds,
            )
        return _("{sentence}.", sentence=said)
    if first["user"] >= 0:
        return _("Root: {who}, by her own habit.", who=teller.person(first["user"]))
    return _("Root: the calendar of {merchant}.", merchant=teller.merchant(first["merchant"]))


def _moves(ledger: Ledger, teller: Teller, row: Row, below: Sequence[int]) -> list[str]:
    """What an event moved, and where the money stands after all that followed."""
    moves = _moved(ledger, row)
    lines = [_("What it moved"), *(f"  {teller.move(move)}" for move in moves)] if moves else [_("It moved nothing.")]
    if below:
        balances = ledger.rows(_BALANCES, ids=[row["event"], *below])
        lines += ["", _("Money, with all that followed"), *_standing(teller, balances)] if balances else []
    return lines


def _moved(ledger: Ledger, row: Row) -> list[Row]:
    """The postings of an event, of money and of goods."""
    tables = (ledger.query(f"FROM {name} WHERE event = $event", event=row["event"]) for name in ("postings", "stock"))
    return [move for table in tables for move in table.to_pylist()]


def _standing(teller: Teller, balances: Iterable[tuple[str, int, int]]) -> Iterator[str]:
    """Gains and losses by account; the wallets of several people in one line."""
    lines: dict[str, list[tuple[int, int]]] = {}
    for account, owner, fen in balances:
        lines.setdefault(account if ACCOUNTS[account].owner == "user" else f"{account} {owner}", []).append(
            (owner, fen)
        )
    for name, own in lines.items():
        account, fen = name.split()[0], sum(fen for _owner, fen in own)
        if len(own) > 1:
            whose = _("{account} of {count} users", account=_(account), count=len(own))
        else:
            whose = teller.account({"source": account, "source_owner": own[0][0]}, "source")
        yield _("  {sum:>+12,.2f} yuan  {whose}", sum=yuan(fen), whose=whose)


# ------------------------------------------------------------------------------------------------------ the ledger

_OF_USER = "user = $user OR peer = $user"
_EFFECTS = """
    SELECT event, cause, kind FROM events WHERE cause IN (SELECT unnest($ids::UBIGINT[])) ORDER BY time, event"""
_BALANCES = """
    SELECT account, owner, sum(fen)::BIGINT AS fen FROM (
        SELECT event, source AS account, source_owner AS owner, -amount AS fen FROM postings WHERE currency = 'fen'
        UNION ALL
        SELECT event, target, target_owner, amount FROM postings WHERE currency = 'fen'
    ) WHERE event IN (SELECT unnest($ids::UBIGINT[]))
    GROUP BY account, owner HAVING sum(fen) <> 0 ORDER BY fen, account, owner"""


def events(ledger: Ledger, which: str, limit: str = "", **values: Any) -> list[Row]:
    """Events in order of time."""
    sql = f"SELECT * FROM events WHERE {which} ORDER BY time, event {limit}"
    found: list[Row] = ledger.query(sql, **values).to_pylist()
    return found


def by_id(ledger: Ledger, ids: Iterable[int]) -> list[Row]:
    """Events by their ids, in order of time."""
    return events(ledger, "event IN (SELECT unnest($ids::UBIGINT[]))", ids=sorted(ids))


def _find(ledger: Ledger, event: str) -> Row:
    """The event whose id begins with these digits."""
    match = _HEX.fullmatch(event)
    if match is None:
        raise StudyError(
            _(
                "{event!r} is no event: give the 16 hexadecimal digits that audit and verify print, or fewer",
                event=event,
            )
        )
    digits = match[1]
    low, high = (int(digits.ljust(16, fill), 16) for fill in "0f")
    begin = "event BETWEEN $low AND $high"
    ((count,),) = ledger.rows(f"SELECT count(DISTINCT event) FROM events WHERE {begin}", low=low, high=high)
    if not count:
        begin, low = "event = $low", int(digits, 16)  # an id as a number, without zeros before it
    found = events(ledger, begin, f"LIMIT {CANDIDATES}", low=low, high=high)
    if not found:
        kinds = _details(ledger)
        said = _("{folder}: no event {event}", folder=ledger.folder, event=event)
        raise StudyError(
            _("{said}; with --record all also {kinds} are written", said=said, kinds=kinds) if kinds else said
        )
    if count > 1:
        teller = Teller(ledger)
        named = [line for row in found for line in _dated(teller, row, "  ", digits=16)]
        said = _("{count:,} events begin with {digits}; give more digits, such as:", count=count, digits=digits)
        raise StudyError("\n".join([said, *named]))
    return found[0]


def _chain(ledger: Ledger, row: Row) -> list[Row]:
    """The event and what led to it, from the root on."""
    chain, seen = [row], {row["event"]}
    while chain[0]["cause"] not in seen and (above := by_id(ledger, {chain[0]["cause"]})):
        chain.insert(0, above[0])
        seen.add(above[0]["event"])
    return chain


def _examples(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Options of interest in this ledger, and what each shows."""
    deals = events(ledger, "list_contains($deals::VARCHAR[], kind)", deals=list(DEALS))
    given = [row["peer"] for row in deals if row["peer"] >= 0]
    if given:
        yield f"user {given[0]}", _("somebody who was given something")
    if deals:
        most, count = Counter(row["user"] for row in deals).most_common(1)[0]
        yield f"user {most}", _("who paid most often: {count} times", count=count)
        dearest = max(deals, key=lambda row: row["amount"])
        said = _("the dearest deal: {sum:,.2f} yuan", sum=yuan(dearest["amount"]))
        yield f"event {short(dearest['event'])}", said
    cascade = _largest(ledger)
    if cascade is not None:
        yield (
            f"event {short(cascade[0])}",
            _("the first share of the largest cascade: {count} shares", count=cascade[1]),
        )
    if not deals and cascade is None:
        yield "user 0", _("the first user")


def _largest(ledger: Ledger) -> tuple[int, int] | None:
    """The share that began the largest cascade, and how many shares that has; None if nobody shared."""
    details = [kind for kind, detail in ledger.manifest["kinds"].items() if detail]
    rows = ledger.query(
        "SELECT event, cause, kind = 'share' AS share FROM events WHERE NOT list_contains($details::VARCHAR[], kind)",
        details=details,
    )
    order = np.argsort(rows["event"].to_numpy())
    event, cause, share = (rows[name].to_numpy()[order] for name in ("event", "cause", "share"))
    shares = np.flatnonzero(share)
    if not shares.size:
        return None
    above = nearest(event, cause, share)[shares]
    sizes = np.bincount(forest(np.where(above >= 0, (np.cumsum(share) - 1)[above], -1)).root)
    return int(event[shares[sizes.argmax()]]), int(sizes.max())


# ------------------------------------------------------------------------------------------------------ lines


def _head(what: str, ledger: Ledger) -> list[str]:
    manifest = ledger.manifest
    said = marked('{what} in {folder}: "{title}", seed {seed}')
    if manifest["strategy"]:
        said = marked('{what} in {folder}: "{title}", strategy {strategy}, seed {seed}')
    values = {name: manifest[name] for name in ("strategy", "seed")}
    return _wrapped(
        "", _(said, what=what, folder=ledger.folder, title=told(manifest["scenario"].get("title", "")), **values)
    )


def _dated(teller: Teller, row: Row, prefix: str, digits: int = ID_DIGITS) -> list[str]:
    """An event as a dated sentence with the beginning of its id."""
    return _wrapped(f"{prefix}{teller.when(row['time'])}  ", f"{teller.sentence(row)} [{short(row['event'], digits)}]")


def _wrapped(prefix: str, text: str, margin: int = 0) -> list[str]:
    """A text in lines of the usual width, less a margin, all but the first as far in as the prefix."""
    return wrap(text, WIDTH - margin, prefix, " " * width(prefix))


def _counts(kinds: Iterable[str]) -> str:
    """How many events there are of each kind."""
    counts = Counter(kinds)
    named = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common())
    total = counts.total()
    return several("{count:,} event: {named}", "{count:,} events: {named}", total, named=named) if total else ""


def _details(ledger: Ledger) -> str:
    """Kinds of which this ledger holds counts only, as text; empty if it records everything."""
    if ledger.manifest["everything"]:
        return ""
    return ", ".join(kind for kind, detail in ledger.manifest["kinds"].items() if detail)


def _unrecorded(ledger: Ledger) -> list[str]:
    """What the ledger does not say, and how to come by it."""
    kinds = _details(ledger)
    if not kinds:
        return []
    text = _(
        "Not written here, only counted: {kinds} (visits only if something came of them). "
        "`wxsim run ... --record all` writes them all.",
        kinds=kinds,
    )
    return ["", *_wrapped("", text)]
