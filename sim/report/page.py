"""The report as one HTML file that needs no network and no server, and is the same whenever it is made."""

import base64
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import StudyError
from sim.report import channels, checks, daily, doors, facts, findings, manifest, money, question, trees, users
from sim.report.material import Cell, Material
from sim.report.shape import Figure, channel
from sim.study import table
from sim.words import _, languages, marked, own_name, several, speaking, spoken, told

if TYPE_CHECKING:
    from jinja2 import Environment

FILE = "report.html"
Tell = Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]]
_LOOKS: Mapping[str, Any] = {  # sections that read ledgers, in the order of the page
    "findings": findings,
    "daily": daily,
    "channels": channels,
    "doors": doors,
    "money": money,
    "users": users,
    "trees": trees,
    "checks": checks,
    "facts": facts,
}
_EXTRA = marked("pip install 'wxsim[report]', or on a clone: make demo")
_STYLED = re.compile(
    r'if\(!document\.getElementById\("([0-9a-f]{64})"\)\)'
)  # styles of maps, left out if the id is there
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # what HTML may not hold


@dataclass(frozen=True, slots=True)
class Report:
    """What every section saw in every run, by its name; told in the user's language, on a page or on paper."""

    material: Material
    seen: Mapping[str, Mapping[Cell, Any]]
    _told: dict[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)  # by language

    @property
    def told(self) -> Mapping[str, Mapping[str, Any]]:
        """What every section tells."""
        if spoken() not in self._told:
            self._told[spoken()] = self._tell()
        return self._told[spoken()]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order of the page."""
        return tuple(_figures(self.told))

    def _tell(self) -> Mapping[str, Mapping[str, Any]]:
        material = self.material.spoken()
        cells = dict(zip(self.material.cells, material.cells, strict=True))
        sections = {
            name: section.tell(material, {cells[cell]: found for cell, found in self.seen[name].items()})
            for name, section in _LOOKS.items()
        }
        return {"question": question.tell(material), **sections, "manifest": manifest.tell(material)}


def report(material: Material, progress: Callable[[int, int], None] = lambda done, all_: None) -> Report:
    """Read every ledger once. `progress` counts them."""
    seen: dict[str, dict[Cell, Any]] = {name: {} for name in _LOOKS}
    for at, cell in enumerate(material.cells, 1):
        ledger = cell.ledger()
        for name, section in _LOOKS.items():
            seen[name][cell] = section.look(cell, ledger, material)
        ledger.close()
        progress(at, len(material.cells))
    return Report(material, seen)


def html(made: Report) -> str:
    """The page."""

    def tell() -> tuple[dict[str, Any], dict[str, Any]]:
        material = made.material.spoken()
        comparison, names = material.comparison, list(material.comparison.strategies)
        values = {"material": material, "comparison": comparison, "told": made.told}
        return drawn(made.figures, names), {**values, "strategies": names}

    scripts = (plotly(), asset("figures.js"), asset("page.js"))
    return render("page.html.j2", made.material.comparison.title, tell, scripts=scripts)


def drawn(figures: Iterable[Figure], strategies: Sequence[str]) -> dict[str, Any]:
    """What the script of a page draws."""
    return {"figures": {figure.name: figure.as_dict() for figure in figures}, "strategies": strategies}


def render(template: str, title: str, tell: Tell, *, scripts: tuple[str, ...], styles: tuple[str, ...] = ()) -> str:
    """A page from a template in the language spoken, and in all others for its switch.

    `tell` gives what the page's scripts read and what its template says, in the language in which it is called. Its
    scripts and styles are inside it; its policy allows these and nothing else.
    """
    environment, scripts = _environment(), (asset("base.js"), *scripts)
    style = "".join((asset("page.css"), *styles))
    names = {language: own_name(language) for language in (spoken(), *languages())}
    bodies, data = {}, dict[str, Mapping[str, Any]]()
    for language in names:
        with speaking(language):
            found, values = tell()
            others = {other: name for other, name in names.items() if other != language}
            bodies[language] = environment.get_template(template).render(**values, title=_(title), others=others)
            data[language] = changed(next(iter(data.values())), found) if data else found
    text = environment.get_template("base.html.j2").render(
        language=spoken(),
        title=_(title),
        bodies=bodies,
        data=data,
        scripts=scripts,
        style=style,
        named=[name for script in scripts for name in _STYLED.findall(script)],
        policy=policy(scripts, (style,)),
    )
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def piece(template: str, *folders: Path, **values: Any) -> str:
    """A template by itself, to stand in a page that somebody else makes; of ours or in other folders."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _environment(*folders).get_template(template).render(**values))


def changed(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What differs of the data in another language."""
    return {
        name: changed(first[name], value) if isinstance(value, Mapping) else value
        for name, value in other.items()
        if value != first[name]
    }


def policy(scripts: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """A Content Security Policy under which exactly these texts work, and the page can reach nothing."""
    script, style = (" ".join(f"'sha256-{_hash(text)}'" for text in texts) for texts in (scripts, styles))
    return f"default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"


def plotly() -> str:
    """The text of plotly.js, which comes with the package."""
    library = needed("plotly.offline")
    return clean(library.get_plotlyjs())


def asset(name: str) -> str:
    """The text of a script or style of ours."""
    return clean((Path(__file__).parent / "templates" / name).read_text("utf-8"))


def clean(text: str) -> str:
    """A text as a browser reads it inside a page, so that its hash is the one that the browser computes."""
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip() + "\n"
    if "</script" in text.lower() or "</style" in text.lower():
        raise StudyError(_("a script or style that would end itself cannot stand in a page"))
    return text


def needed(module: str) -> Any:
    """A module of the extra `report`; StudyError with what to install if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise StudyError(_("a report needs the package {package}; {how}", package=package, how=_(_EXTRA))) from None


def _hash(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()


def _figures(told: Mapping[str, Mapping[str, Any]]) -> Iterator[Figure]:
    for section in told.values():
        yield from section.get("figures", ())
        yield from (kind["figure"] for kind in section.get("kinds", ()))


@cache  # with its templates, compiled
def _environment(*folders: Path) -> "Environment":
    jinja = needed("jinja2")
    made: Environment = jinja.Environment(
        loader=jinja.FileSystemLoader([*folders, Path(__file__).parent / "templates"]),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": _number, "told": told, "channel": channel}
    made.globals |= {"_": _marked_up(_), "several": _marked_up(several)}
    return made


def _marked_up(say: Callable[..., str]) -> Callable[..., str]:
    """The same with texts that hold markup of ours: what stands in their places is escaped."""
    markup = needed("markupsafe")

    def said(*texts: Any, **values: Any) -> str:
        safe = {name: markup.escape(value) if isinstance(value, str) else value for name, value in values.items()}
        text: str = markup.Markup(say(*texts, **safe))
        return text

    return said


def _number(value: float | None, signed: bool = False) -> str:
    return table.NOTHING if value is None else table.number(value, signed)
