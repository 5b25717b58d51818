"""How an event is told: the sentence of its kind (`Kind.says`), with names, dates and yuan for numbers."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from sim import catalog
from sim.contract import Kind
from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS, COLUMNS
from sim.units import DAY, HOUR, NOBODY, yuan
from sim.words import _, marked

WEEKDAYS = (
    *(marked("Mon"), marked("Tue"), marked("Wed"), marked("Thu"), marked("Fri")),
    *(marked("Sat"), marked("Sun")),
)
ID_DIGITS = 8  # of 16: enough to name an event of a ledger, nearly always

_CHOICE = re.compile(r"\[([^]|]*)(?:\|([^]]*))?\]")
_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")
_BETWEEN = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")  # a space between two Chinese characters
_EMPTY = {name: default for name, (_, default) in COLUMNS.items()} | {"channel": None}


def fields(says: str) -> tuple[tuple[str, str], ...]:
    """The columns that a sentence names, each with the way in which it is told ("" for its own)."""
    return tuple((name, how) for name, how in _FIELD.findall(says))


class Teller:
    """Tells events of a ledger in words. In the life of `she`, that user is *she* and *her*."""

    def __init__(self, ledger: Ledger, she: int = NOBODY, kinds: Mapping[str, Kind] | None = None) -> None:
        manifest = ledger.manifest
        self._kinds = catalog.kinds() if kinds is None else kinds
        self._merchants, self._products = ([_plain(n) for n in manifest[k]] for k in ("merchants", "products"))
        self._variants = _variants(manifest)
        start = manifest["scenario"].get("horizon", {}).get("start")
        self._start = date.fromisoformat(start) if start else None
        self._she = she
        self.ways: Mapping[str, Callable[[int], str]] = {
            "yuan": _yuan,
            "when": self.when,
            "span": span,
            "nth": lambda number: str(number + 1),
        }

    def sentence(self, row: Mapping[str, Any]) -> str:
        """An event in a sentence; if its kind has none, what the kind says of itself."""
        kind = self._kinds.get(row["kind"], Kind(row["kind"]))
        says = _(kind.says) or f"[{{user}}: |][{{merchant}}: |]{kind.doc}"
        text = _CHOICE.sub(lambda m: m[1] if _there(m[1], row) else m[2] or "", says)
        text = _FIELD.sub(lambda m: self._word(row, m[1], m[2] or "", first=not m.start()), text)
        return _("{sentence}.", sentence=_BETWEEN.sub("", text[:1].upper() + text[1:]))

    def when(self, second: int) -> str:
        """A second of the scenario as date, weekday and Beijing time."""
        day, clock = self.day(second // DAY), self.clock(second)
        return f"{day} {clock}"

    def day(self, day: int) -> str:
        """A day of the scenario as date and weekday."""
        if self._start is None:
            return _("day {day}", day=day)
        then = self._start + timedelta(days=day)
        return f"{then.isoformat()} {_(WEEKDAYS[then.weekday()])}"

    def clock(self, second: int) -> str:
        """The time of day."""
        hour, rest = divmod(second % DAY, HOUR)
        return f"{hour:02d}:{rest // 60:02d}:{rest % 60:02d}"

    def move(self, row: Mapping[str, Any]) -> str:
        """A posting: what went from where to where."""
        what, item = int(row["amount"]), row["item"]
        shown = {
            "fen": _yuan(what),
            "stock": f"{what} × {self.variant(item)}",
            "coupon": _("{count} coupon of {merchant}", count=what, merchant=self.merchant(item)),
            "points": _("{count} points of {merchant}", count=what, merchant=self.merchant(item)),
        }[row["currency"]]
        source, target = (self.account(row, end) for end in ("source", "target"))
        return _("{what}: {source} → {target}", what=shown, source=source, target=target)

    def account(self, row: Mapping[str, Any], side: str) -> str:
        """An account and whose it is; a variant's is told by what moves."""
        name, owner = row[side], row[side + "_owner"]
        kind = ACCOUNTS[name].owner
        whose = {"user": self.person, "merchant": self.merchant}.get(kind)
        return _("{account} of {owner}", account=_(name), owner=whose(owner)) if whose and owner >= 0 else _(name)

    def person(self, number: int, first: bool = False) -> str:
        """A user; in her own life she is a pronoun."""
        if number == self._she:
            return _("she") if first else _("her")
        return _("user {number}", number=number) if number >= 0 else _("nobody")

    def merchant(self, number: int) -> str:
        """A merchant's name as people say it."""
        return self._merchants[number] if 0 <= number < len(self._merchants) else _("no shop")

    def variant(self, number: int) -> str:
        """A product's style by both names."""
        return self._variants[number] if 0 <= number < len(self._variants) else _("style {number}", number=number)

    def _word(self, row: Mapping[str, Any], name: str, how: str, first: bool) -> str:
        value = row[name]
        if how:
            return self.ways[how](value)
        if name in ("user", "peer"):
            return self.person(value, first)
        if name == "merchant":
            return self.merchant(value)
        if name == "product":
            return self._products[value] if 0 <= value < len(self._products) else _("something")
        if name == "variant":
            return self.variant(value)
        if name == "amount":
            return self.ways["yuan"](value)
        if name == "quantity":
            return f"{abs(value):,}"  # what is put back is a negative request
        said = _(str(value))
        return _plain(said) if said == value else said


def span(seconds: int) -> str:
    """A length of time in its two largest units."""
    days, rest = divmod(int(seconds), DAY)
    hours, minutes = rest // HOUR, rest % HOUR // 60
    if days:
        return _("{days} d {hours} h", days=days, hours=hours)
    return _("{hours} h {minutes} min", hours=hours, minutes=minutes)


def short(event: int, digits: int = ID_DIGITS) -> str:
    """The beginning of an event's id, as ``--event`` takes it."""
    return f"{event:016x}"[:digits]


def written(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a ledger for JSON: as it stands there, but ids of events in digits, as every command tells them."""
    ids = {name: f"{row[name]:016x}" if row[name] else None for name in ("event", "cause") if name in row}
    return {**row, **ids}


def _there(says: str, row: Mapping[str, Any]) -> bool:
    return all(row[name] != _EMPTY[name] for name, _ in fields(says))


def _yuan(fen: int) -> str:
    return _("{sum:,.2f} yuan", sum=yuan(fen))


def _plain(name: str) -> str:
    """A key of a scenario as people say it."""
    return name.replace("_", " ")


def _variants(manifest: Mapping[str, Any]) -> list[str]:
    """What each variant is called: its product, and its style if there are several."""
    out = []
    for merchant in manifest["scenario"].get("merchants", {}).values():
        for name, product in merchant["products"].items():
            styles = product["variants"]
            out += [f"{_plain(name)}, {_plain(style)}" if len(styles) > 1 else _plain(name) for style in styles]
    return out if len(out) == manifest["variants"] else []
