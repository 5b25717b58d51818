"""Write every text that is told in a user's language into the catalogues, sim/words/LANGUAGE/PART.po.

    python -m docs.words

New texts come in without a translation, those that are gone go. A text of several parts stands in the first of them.
A test holds that nothing is missing.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib

from sim import catalog
from sim.ledger.schema import ACCOUNTS
from sim.metrics.catalog import METRICS
from sim.metrics.genealogy import KINDS
from sim.words import ENGLISH, FOLDER, languages, taken_apart

SIM = Path(__file__).parents[1] / "sim"
CALLS = {"_": 1, "marked": 1, "several": 2}  # functions, and how many of their arguments are texts
Message = tuple[str, str]  # text, and its plural or ""


def messages() -> dict[Message, list[str]]:
    """Every text, and the files that it stands in."""
    found: dict[Message, list[str]] = {}
    for path in sorted(SIM.rglob("*.py")):
        for message in in_code(ast.parse(path.read_text("utf-8"))):
            found.setdefault(message, []).append(path.relative_to(SIM.parent).as_posix())
    for text in in_metrics():
        found.setdefault((text, ""), []).append("sim/metrics")
    for place, text in (*in_ledgers(), *in_warnings()):
        found.setdefault((text, ""), []).append(place)
    return {message: sorted(set(places)) for message, places in found.items()}


def in_code(tree: ast.AST) -> Iterator[Message]:
    """The texts of a module: what stands in calls of `_`, `marked` and `several`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            texts = [each.value for each in node.args[: CALLS[node.func.id]] if isinstance(each, ast.Constant)]
            if len(texts) == CALLS[node.func.id]:
                yield (texts[0], texts[1] if len(texts) == 2 else "")


def in_metrics() -> Iterator[str]:
    """Titles and units of the metrics, without their numbers and channels; and the channels."""
    names = {*catalog.channels(), *KINDS}
    yield from sorted(names)
    for metric in METRICS.values():
        template, values = taken_apart(metric.title)
        yield template if values.get("what", "") in names | {""} else metric.title
        if any(letter.isalpha() for letter in metric.unit):
            yield taken_apart(metric.unit)[0]


def in_ledgers() -> Iterator[tuple[str, str]]:
    """The sentences in which events are told, and the accounts."""
    for cls in (catalog, *catalog.mechanisms().values()):
        kinds = cls.ENGINE_KINDS if cls is catalog else cls.kinds
        yield from ((_place(cls), kind.says) for kind in kinds.values() if kind.says)
    yield from (("sim/ledger/schema.py", name) for name in ACCOUNTS)


def in_warnings() -> Iterator[tuple[str, str]]:
    """What mechanisms say that they lack without others."""
    for cls in catalog.mechanisms().values():
        yield from ((_place(cls), text) for text in cls.Params.wants.values())


def _place(owner: Any) -> str:
    """The file of a module, or of a class."""
    return str(getattr(owner, "__module__", owner.__name__)).replace(".", "/") + ".py"


def part(places: list[str]) -> str:
    """The part of wxsim that a text belongs to: ``study`` of ``sim/study/table.py``."""
    return places[0].split("/")[1].removesuffix(".py")


def main() -> None:
    """Bring every catalogue up to date."""
    wanted = messages()
    for language in set(languages()) - {ENGLISH}:
        books = {file.stem: polib.pofile(str(file), wrapwidth=120) for file in (FOLDER / language).glob("*.po")}
        there = {
            (entry.msgid, entry.msgid_plural): entry for book in books.values() for entry in book if entry.translated()
        }
        head = next(iter(books.values())).metadata
        for name in {*books, *(part(places) for places in wanted.values())}:
            book = polib.POFile(wrapwidth=120)
            book.metadata = head
            for message in sorted(message for message, places in wanted.items() if part(places) == name):
                text, plural = message
                entry = there.get(message) or polib.POEntry(msgid=text, msgid_plural=plural)
                if plural and not entry.msgstr_plural:
                    entry.msgstr_plural = {0: ""}
                entry.occurrences = [(place, "") for place in wanted[message]]
                book.append(entry)
            file = FOLDER / language / f"{name}.po"
            if len(book):
                book.save(str(file))
            else:
                file.unlink()


if __name__ == "__main__":
    main()
