"""Write every text that is told in a user's language into the catalogues, sim/words/LANGUAGE/PART.po.

    python -m docs.words

New texts come in without a translation, those that are gone go. A text of several parts stands in the first of them.
A test holds that nothing is missing.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from inspect import get_annotations
from pathlib import Path
from typing import Any

import polib
import yaml
from jinja2 import Environment
from jinja2.ext import extract_from_ast
from typer.main import get_command

from docs.generate import models, words_of
from sim import catalog
from sim.cli import app
from sim.cli.help import paragraphs
from sim.config.model import Scenario
from sim.config.parameters import ASSUMED
from sim.ledger.schema import ACCOUNTS
from sim.metrics.catalog import METRICS
from sim.metrics.genealogy import KINDS
from sim.params import Params
from sim.study.facts import facts
from sim.words import ENGLISH, FOLDER, languages, taken_apart
from sim.world.categories import CATEGORIES

ROOT = Path(__file__).parents[1]
SIM = ROOT / "sim"
CALLS = {"_": 1, "marked": 1, "several": 2}  # functions, and how many of their arguments are texts
Message = tuple[str, str]  # text, and its plural or ""


def messages() -> dict[Message, list[str]]:
    """Every text, and the files that it stands in."""
    found: dict[Message, list[str]] = {}
    for path in sorted(SIM.rglob("*.py")):
        for message in in_code(ast.parse(path.read_text("utf-8"))):
            found.setdefault(message, []).append(path.relative_to(ROOT).as_posix())
    for path in sorted(SIM.rglob("*.j2")):
        for message in in_template(path.read_text("utf-8")):
            found.setdefault(message, []).append(path.relative_to(ROOT).as_posix())
    elsewhere = (in_metrics, in_mechanisms, in_parameters, in_scenarios, in_ledgers, in_warnings, in_facts, in_commands)
    for place, text in (each for texts in elsewhere for each in texts()):
        found.setdefault((text, ""), []).append(place)
    return {message: sorted(set(places)) for message, places in found.items()}


def in_code(tree: ast.AST) -> Iterator[Message]:
    """The texts of a module: what stands in calls of `_`, `marked` and `several`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            texts = [each.value for each in node.args[: CALLS[node.func.id]] if isinstance(each, ast.Constant)]
            if len(texts) == CALLS[node.func.id]:
                yield (texts[0], texts[1] if len(texts) == 2 else "")


def in_template(source: str) -> Iterator[Message]:
    """The texts of a template, which calls the same functions."""
    for _line, function, texts in extract_from_ast(Environment().parse(source), tuple(CALLS), babel_style=False):
        if len(texts) >= CALLS[function]:
            yield (texts[0], texts[1] if CALLS[function] == 2 else "")


def in_metrics() -> Iterator[tuple[str, str]]:
    """Titles, units and definitions of the metrics, and channels; one for all that differ in a number or channel."""
    names = {*catalog.channels(), *KINDS}
    texts = {text for metric in METRICS.values() for text in (metric.title, metric.unit, metric.definition)}
    apart = {text: taken_apart(text) for text in texts}
    alike = Counter(template for template, values in apart.values() if values.get("what") in {*names, None})
    for text in (*names, *texts):
        if any(letter.isalpha() for letter in text):
            template, _ = apart.get(text, (text, {}))
            yield "sim/metrics", template if alike[template] > 1 else text


def in_mechanisms() -> Iterator[tuple[str, str]]:
    """The key of each mechanism, which other languages show as its name, and what it is."""
    for key, cls in catalog.mechanisms().items():
        yield from ((_place(cls), text) for text in (key, catalog.summary(cls)))


def in_parameters() -> Iterator[tuple[str, str]]:
    """What each parameter of a scenario means, its unit, the words to choose from."""
    yield "sim/config/parameters.py", ASSUMED
    of_mechanisms = (cls.Params for cls in catalog.mechanisms().values())
    for model in dict.fromkeys(inner for root in (Scenario, *of_mechanisms) for inner in models(root)):
        for name, field in model.model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            words = words_of(field.annotation) if issubclass(model, Params) else []
            owner = next(cls for cls in model.__mro__ if name in get_annotations(cls))
            for text in (field.description or "", str(extra.get("unit", "")), *words):
                if any(letter.isalpha() for letter in text):
                    yield _place(owner), text


def in_scenarios() -> Iterator[tuple[str, str]]:
    """Title, expectation and trap of the scenarios that come with wxsim; names of strategies are keys and stay."""
    for file in sorted((ROOT / "scenarios").glob("*.yaml")):
        said = yaml.safe_load(file.read_text("utf-8"))
        yield from (
            (f"scenarios/{file.name}", said[key].strip()) for key in ("title", "expectation", "trap") if key in said
        )


def in_commands() -> Iterator[tuple[str, str]]:
    """What the help of the commands says."""
    whole: Any = get_command(app)
    for command in (whole, *whole.commands.values()):
        texts = [*paragraphs(command.help), *paragraphs(command.epilog), *(each.help for each in command.params)]
        yield from (("sim/cli/help.py", text) for text in texts if text)


def in_facts() -> Iterator[tuple[str, str]]:
    """Notes on the facts that the model is held to; and the categories of goods."""
    yield from (("sim/study/facts.py", fact.note) for fact in facts() if fact.note)
    yield from (("sim/world/categories.py", category) for category in CATEGORIES)


def in_ledgers() -> Iterator[tuple[str, str]]:
    """The sentences in which events are told, and the accounts."""
    owned = [("sim/catalog.py", catalog.ENGINE_KINDS)]
    owned += [(_place(cls), cls.kinds) for cls in catalog.mechanisms().values()]
    yield from ((place, kind.says) for place, kinds in owned for kind in kinds.values() if kind.says)
    yield from (("sim/ledger/schema.py", name) for name in ACCOUNTS)


def in_warnings() -> Iterator[tuple[str, str]]:
    """What mechanisms say that they lack without others."""
    for cls in catalog.mechanisms().values():
        yield from ((_place(cls), text) for text in cls.Params.wants.values())


def _place(cls: type[object]) -> str:
    """The file that a class stands in."""
    return cls.__module__.replace(".", "/") + ".py"


def part(places: list[str]) -> str:
    """The part of wxsim that a text belongs to: ``study`` of ``sim/study/table.py``, ``scenarios`` of all these."""
    folder, inner = places[0].split("/")[:2]
    return inner.removesuffix(".py") if folder == SIM.name else folder


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
