"""YAML as scenarios use it: the core schema of YAML 1.2, read to a tree of places.

PyYAML only parses; nothing is ever constructed. `NO`, `on` and `1:30` are texts, `1e-3` is a number, a key is the
text it is written as. Anchors, aliases, tags, repeated keys and second documents are faults, and so are
files beyond a sensible size, so that no text whatever can do worse than be refused.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from sim.config.node import Node, Place, Scalar, join
from sim.errors import Fault
from sim.words import _, marked

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_DIGITS = 20  # every 64-bit number has fewer

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {text: value for value in (True, False) for text in (str(value), str(value).lower(), str(value).upper())}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|\r|\n")

_ADVICE = {
    "mapping values are not allowed": marked("put a text that holds ': ' in quotes, and check the indentation"),
    "cannot start any token": marked("put a text that begins with this character in quotes"),
    "expected <block end>": marked("give all keys of a mapping the same indentation"),
    "expected ',' or": marked("close the bracket, or put a comma between entries"),
    "could not find expected ':'": marked("write `key: value`, with a space after the colon"),
    "unexpected end of stream": marked("close the quotes"),
}


_PARSER = (  # what the parser says most often, and while doing what: for catalogues of other languages
    *(marked("mapping values are not allowed in this context"), marked("found character that cannot start any token")),
    *(marked("did not find expected key"), marked("did not find expected '-' indicator")),
    *(marked("did not find expected ',' or ']'"), marked("did not find expected ',' or '}'")),
    *(marked("did not find expected node content"), marked("did not find expected <document start>")),
    *(marked("could not find expected ':'"), marked("found unexpected end of stream")),
    *(marked("found unknown escape character"), marked("block sequence entries are not allowed in this context")),
    *(marked("while parsing a block mapping"), marked("while parsing a block collection")),
    *(marked("while parsing a flow mapping"), marked("while parsing a flow sequence")),
    *(marked("while parsing a flow node"), marked("while parsing a block node")),
    *(marked("while scanning a simple key"), marked("while scanning a quoted scalar")),
    *(marked("while parsing a quoted scalar"), marked("while scanning for the next token")),
)


def compose(raw: bytes, file: str) -> tuple[Node | None, list[Fault]]:
    """The tree of a file and its faults; no tree if the text cannot be read as a mapping at all."""
    if len(raw) > MAX_BYTES:
        wrong = _("is larger than {count:,} bytes", count=MAX_BYTES)
        return None, [Fault(file, 1, 1, "", wrong, _("keep data in files of their own"))]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line, column = _line_column(raw[: error.start].decode())
        return None, [Fault(file, line, column, "", _("is not UTF-8 text from here on"), _("save the file as UTF-8"))]
    text = text.removeprefix("\ufeff")
    if strange := _UNPRINTABLE.search(text):
        line, column = _line_column(text[: strange.start()])
        wrong = _("holds the control character {character!a}", character=strange.group())
        return None, [Fault(file, line, column, "", wrong, _("remove it"))]
    return _Composer(text, file).compose()


def _line_column(before: str) -> tuple[int, int]:
    """Line and column of the character that follows a text, from 1."""
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1]) + 1


class _Composer:
    """Turns parser events into a tree, noting faults as it goes."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.faults: list[Fault] = []
        self.events: Iterator[Any] = iter(())

    def compose(self) -> tuple[Node | None, list[Fault]]:
        try:
            self.events = yaml.parse(self.text, Loader=_Loader)
            root = self._document()
        except _TooDeepError as error:
            self.faults.append(
                error.place.fault(_("is nested more than {count} levels deep", count=MAX_DEPTH), _("write it flatter"))
            )
            return None, self.faults
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
            self.faults.append(self._syntax(error))
            return None, self.faults
        return root, self.faults

    def _document(self) -> Node | None:
        """The one document of the file, which must be a mapping."""
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._note(self._place(event, ""), _("a second document"), _("keep one document in a file"))
                    return root
                root = self._node(next(self.events), "", 0)
        top = Place(self.file, 1, 1, "")
        if root is None or root.value is None:
            self._note(top, _("is empty"), _("write `title: ...` and what follows it"))
            return None
        if not isinstance(root.value, dict):
            self._note(root.place, _("the file must be a mapping"), _("write `title: ...` and what follows it"))
            return None
        return Node(root.value, top, top)

    def _node(self, event: Any, where: str, depth: int, key: Place | None = None) -> Node:
        place = self._place(event, where)
        if key and event.start_mark.index == event.end_mark.index:
            place = key  # nothing is there: the key is to blame
        self._refuse_decoration(event, place)
        value: Any = None
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, place)
        elif isinstance(event, yaml.CollectionStartEvent):
            if depth == MAX_DEPTH:
                raise _TooDeepError(place)
            enter = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
            value = enter(where, depth + 1)
        return Node(value, place, key or place)

    def _mapping(self, where: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            name = event.value if isinstance(event, yaml.ScalarEvent) else None
            under = join(where, name or "")
            key = self._place(event, under)
            self._refuse_decoration(event, key)
            if name is None:
                self._skip(event, depth)
                self._note(key, _("a key must be a word"), _("write `key: value`"))
            child = self._node(next(self.events), under, depth, key)
            if name in entries:
                self._note(
                    key, _("is stated twice"), _("keep one; the first is on line {line}", line=entries[name].key.line)
                )
            elif name is not None:
                entries[name] = child
        return entries

    def _sequence(self, where: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, join(where, len(items)), depth))
        return tuple(items)

    def _skip(self, event: Any, depth: int) -> None:
        """Read past a key that is not a word."""
        if isinstance(event, yaml.CollectionStartEvent):
            noted = len(self.faults)
            self._node(event, "", depth)
            del self.faults[noted:]

    def _scalar(self, event: Any, place: Place) -> Scalar:
        """The value of a scalar by YAML 1.2's core schema."""
        text: str = event.value
        if event.style:
            return text
        if text in _NULLS:
            return None
        if text in _BOOLS:
            return _BOOLS[text]
        if _INT.fullmatch(text):
            if len(text) > MAX_DIGITS:
                self._note(
                    place,
                    _("a whole number of {count} digits", count=len(text)),
                    _("write at most {count}", count=MAX_DIGITS),
                )
                return None
            return int(text, 0 if text[:2] in ("0o", "0x") else 10)
        if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and math.isinf(float(text))):
            self._note(place, _("{text} is not a finite number", text=text[:20]), _("write a finite number"))
            return None
        return float(text) if _FLOAT.fullmatch(text) else text

    def _refuse_decoration(self, event: Any, place: Place) -> None:
        """Anchors, aliases and tags have no meaning in a scenario."""
        if isinstance(event, yaml.AliasEvent):
            self._note(
                place,
                _("*{anchor} repeats another part by an alias", anchor=event.anchor),
                _("write it out, or use `extends`"),
            )
        elif event.anchor is not None:
            self._note(place, _("&{anchor} is an anchor", anchor=event.anchor), _("remove it"))
        elif event.tag is not None:
            self._note(place, _("{tag} is a tag", tag=_short_tag(event.tag)), _("remove it"))

    def _place(self, event: Any, where: str) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1, where)

    def _note(self, place: Place, wrong: str, instead: str) -> None:
        self.faults.append(place.fault(wrong, instead))

    def _syntax(self, error: Exception) -> Fault:
        """What the parser could not read, in words that help."""
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            return Fault(self.file, 1, 1, "", _("cannot be read as YAML: {error}", error=error))
        problem = str(getattr(error, "problem", error))
        wrong = _(problem)
        lines = _BREAK.split(self.text)
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: mark.column + 1] and not line[: mark.column + 1].strip():
            return Fault(self.file, mark.line + 1, mark.column + 1, "", _("a tab in the indentation"), _("use spaces"))
        context = getattr(error, "context", None)
        start = getattr(error, "context_mark", None)
        if context and start:
            said = marked("{problem} {context} that begins on line {line}")
            wrong = _(said, problem=wrong, context=_(context), line=start.line + 1)
        advice = next((text for known, text in _ADVICE.items() if known in problem), "")
        return Fault(self.file, mark.line + 1, mark.column + 1, "", wrong, _(advice))


class _TooDeepError(Exception):
    """The file is nested too deep to be a scenario."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!") if tag.startswith("tag:") else tag
