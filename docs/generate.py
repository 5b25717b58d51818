"""Write the pages of docs/model from the mechanisms themselves, so that they cannot disagree with them.

Run as ``make docs``. A test holds that what is checked in is what this writes.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim import catalog
from sim.cli.completing import METRICS as COMPLETED
from sim.config.parameters import ASSUMED
from sim.config.sections import ALWAYS, PER_WORLD
from sim.contract import PHASES, Mechanism
from sim.metrics.catalog import METRICS
from sim.params import Params
from sim.words import speaking, told

MODEL = Path(__file__).parent / "model"
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}
INDEX = """\
# The mechanisms

One page each, made by `make docs` of the file in `sim/`: what it models and by which formula, what it cannot do, every
parameter. Folder = section of a scenario, file = key in it. The *source* of a parameter is a citation, `facts: a.b` (a
measured number of the facts table that the model is held against) or `assumed`: nobody has measured it, so studies vary
it. Terms are in the [glossary](../glossary.md).
"""
SETTLED = {
    "": "written only",
    "once": "request; the first on its subject wins",
    "last": "request; settled after all others of the tick",
    "stock": "request for stock",
    "coupon": "request for a coupon of the merchant's pool",
    "ticket": "request for the next number",
    "plain": "request; needs no resource",
}


def pages() -> dict[str, str]:
    """Every page by its path under docs/model."""
    found = {f"{cls.folder}/{cls.name}.md": page(key, cls) for key, cls in catalog.mechanisms().items()}
    return {"index.md": index(catalog.mechanisms()), **found}


def index(known: Mapping[str, type[Mechanism]]) -> str:
    """The list of all mechanisms by folder."""
    lines = [INDEX]
    for folder in catalog.FOLDERS:
        own = [cls for cls in known.values() if cls.folder == folder]
        if own:
            lines += [
                f"## {folder}",
                "",
                *(f"- [{cls.name}]({folder}/{cls.name}.md): {summary(cls)}" for cls in own),
                "",
            ]
    return "\n".join(lines)


def page(key: str, cls: type[Mechanism]) -> str:
    """What a mechanism models, its parameters, the records it makes and the state it keeps."""
    lines = [f"# {key}", "", where(key, cls), "", f"*{_in_chinese(catalog.summary(cls))}*", ""]
    lines += [_markdown(_module_doc(cls)), ""]
    rows: dict[tuple[str, str], list[str]] = {}  # a list of changes repeats what stands above it
    for row in parameters(cls.Params):
        rows.setdefault((row[0].strip("`").split(".")[-1], row[1]), row)
    told = list(rows.values())
    lines += _section("Parameters", ("name", "meaning", "unit", "range", "default", "source"), iter(told))
    if told:
        lines += [f"Assumed: {sum(row[-1] == ASSUMED for row in told)} of {len(told)}.", ""]
    lines += _section("Needs", ("what", "does"), needs(cls.Params))
    phases = [phase for phase in PHASES if phase in vars(cls)]
    extra = [hook for hook in ("plan", "agenda") if hook in vars(cls)]
    lines += ["## Phases", "", ", ".join(f"`{name}`" for name in extra + phases) or "none", ""]
    kinds = ([f"`{k}`", kind.doc, SETTLED[kind.stage], "yes" if kind.detail else ""] for k, kind in cls.kinds.items())
    lines += _section("Records", ("kind", "meaning", "how", "detail"), kinds)
    if cls.settles:
        lines += ["Settles: " + ", ".join(f"`{kind}`" for kind in cls.settles) + ".", ""]
    columns = ([f"`{c.table}.{c.name}`", c.doc, _dtype(c.dtype), f"{c.default:g}"] for c in cls.columns)
    lines += _section("State", ("column", "meaning", "type", "at first"), columns)
    return "\n".join(lines)


def where(key: str, cls: type[Mechanism]) -> str:
    """How a scenario says it, and where it is written."""
    path = key if cls.folder in PER_WORLD else f"merchants.NAME.{key}"
    state = "always on" if key in ALWAYS else "off unless named"
    code = f"sim/{cls.folder}/{cls.name}.py"
    return f"In a scenario: `{path}`; {state}. Code: [`{code}`](../../../{code})."


def parameters(model: type[BaseModel], prefix: str = "") -> Iterator[list[str]]:
    """A row per field; the fields of a model inside come under its name."""
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        yield [
            f"`{prefix}{name}`",
            field.description or "",
            str(extra.get("unit", "")),
            bounds(field),
            _default(field),
            str(extra.get("source", "")),
        ]
        for inner, several in _inner(field.annotation):
            yield from parameters(inner, f"{prefix}{name}{several}.")


def models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and, to any depth, those inside it."""
    yield root
    for field in root.model_fields.values():
        for inner, _ in _inner(field.annotation):
            if inner is not root:
                yield from models(inner)


def _inner(annotation: Any, several: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The models inside a type, each with `[]` if there may be several."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation, several
    for part in get_args(annotation):
        yield from _inner(part, "[]" if get_origin(annotation) in (tuple, list, dict, Mapping) else several)


def needs(model: type[Params]) -> Iterator[list[str]]:
    """What the mechanism, or one of its parameters, does nothing without; `wxsim lint` warns of it."""
    yield from (["the whole", f"nothing without {_or(need)}"] for need in model.needs)
    yield from (["the whole", f"less without {_or(want)}: {lost}"] for want, lost in model.wants.items())
    yield from ([f"`{name}`", f"nothing without {_or(other)}"] for name, other in model.moot.items())


def _or(need: str) -> str:
    return " or ".join(f"`{name}`" for name in need.split(" | "))


def bounds(field: FieldInfo) -> str:
    """The range of a number, or the words to choose from."""
    if words := words_of(field.annotation):
        return " / ".join(words)
    limits = [(how, getattr(rule, how)) for rule in field.metadata for how in BOUNDS if hasattr(rule, how)]
    return ", ".join(BOUNDS[how].format(f"{value:,g}") for how, value in limits)


def words_of(annotation: Any) -> list[str]:
    """The words of a choice."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for part in get_args(annotation) for word in words_of(part)]


def summary(cls: type[Mechanism]) -> str:
    """The first sentence of a mechanism's page."""
    return _markdown(_module_doc(cls)).split("\n\n")[0].replace("\n", " ")


def _in_chinese(text: str) -> str:
    with speaking("zh"):
        return told(text)


def _module_doc(cls: type[Mechanism]) -> str:
    return inspect.cleandoc(inspect.getmodule(cls).__doc__ or "")


def _markdown(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text)


def _section(title: str, heads: Sequence[str], rows: Iterator[list[str]]) -> list[str]:
    """A heading and a table; nothing if there are no rows."""
    table = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    if not table:
        return []
    lines = ["| " + " | ".join(row) + " |" for row in (list(heads), ["---"] * len(heads), *table)]
    return [f"## {title}", "", *lines, ""]


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if field.is_required():
        return "must be given"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.10g}"
    return "none" if value is None else str(value)


def _dtype(dtype: Any) -> str:
    return getattr(dtype, "__name__", str(dtype))


def main() -> None:
    """Write every page; take away those of mechanisms that are gone."""
    wanted = pages()
    for path in MODEL.rglob("*.md"):
        if path.relative_to(MODEL).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (MODEL / name).parent.mkdir(parents=True, exist_ok=True)
        (MODEL / name).write_text(text, "utf-8")
    COMPLETED.write_text("\n".join(METRICS) + "\n", "utf-8")


if __name__ == "__main__":
    main()
