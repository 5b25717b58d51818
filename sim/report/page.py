"""The report as one HTML file that needs no network and no server, and is the same whenever it is made."""

import base64
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import StudyError
from sim.report import channels, checks, daily, findings, manifest, money, question, trees, users
from sim.report.material import Cell, Material
from sim.report.shape import Figure
from sim.study import table
from sim.words import _, several, told

if TYPE_CHECKING:
    from jinja2 import Environment

FILE = "report.html"
_LOOKS: Mapping[str, Any] = {  # sections that read ledgers, in the order of the page
    "findings": findings,
    "daily": daily,
    "channels": channels,
    "money": money,
    "users": users,
    "trees": trees,
    "checks": checks,
}
_EXTRA = "pip install 'wxsim[report]', or on a clone: make demo"
_STYLED = re.compile(
    r'if\(!document\.getElementById\("([0-9a-f]{64})"\)\)'
)  # styles of maps, left out if the id is there
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # what HTML may not hold


@dataclass(frozen=True, slots=True)
class Report:
    """What every section tells, by its name; ready for a page or for paper."""

    material: Material
    told: Mapping[str, Mapping[str, Any]]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order of the page."""
        return tuple(_figures(self.told))


def report(material: Material, progress: Callable[[int, int], None] = lambda done, all_: None) -> Report:
    """Read every ledger once and let each section tell what it found. `progress` counts ledgers."""
    seen: dict[str, dict[Cell, Any]] = {name: {} for name in _LOOKS}
    for at, cell in enumerate(material.cells, 1):
        ledger = cell.ledger()
        for name, section in _LOOKS.items():
            seen[name][cell] = section.look(cell, ledger, material)
        ledger.close()
        progress(at, len(material.cells))
    told = {name: section.tell(material, seen[name]) for name, section in _LOOKS.items()}
    return Report(material, {"question": question.tell(material), **told, "manifest": manifest.tell(material)})


def html(made: Report) -> str:
    """The page."""
    figures = {figure.name: figure.as_dict() for figure in made.figures}
    names = list(made.material.comparison.strategies)
    return render(
        "page.html.j2",
        scripts=(plotly(), asset("figures.js"), asset("page.js")),
        styles=(asset("page.css"),),
        data={"figures": figures, "strategies": names},
        material=made.material,
        comparison=made.material.comparison,
        title=made.material.comparison.title,
        strategies=names,
        told=made.told,
    )


def render(template: str, *, scripts: tuple[str, ...], styles: tuple[str, ...], data: Any, **values: Any) -> str:
    """A page from a template, its scripts and styles inside it; its policy allows these and nothing else."""
    made = _environment().get_template(template)
    named = [name for script in scripts for name in _STYLED.findall(script)]
    given = {"scripts": scripts, "styles": styles, "data": data, "named": named, "policy": policy(scripts, styles)}
    text = made.render(**given, **values)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def piece(template: str, *folders: Path, **values: Any) -> str:
    """A template by itself, to stand in a page that somebody else makes; of ours or in other folders."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _environment(*folders).get_template(template).render(**values))


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
        raise StudyError("a script or style that would end itself cannot stand in a page")
    return text


def needed(module: str) -> Any:
    """A module of the extra `report`; StudyError with what to install if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise StudyError(f"a report needs the package {package}; {_EXTRA}") from None


def _hash(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()


def _figures(told: Mapping[str, Mapping[str, Any]]) -> Iterator[Figure]:
    for section in told.values():
        yield from section.get("figures", ())
        yield from (kind["figure"] for kind in section.get("kinds", ()))


def _environment(*folders: Path) -> "Environment":
    jinja = needed("jinja2")
    made: Environment = jinja.Environment(
        loader=jinja.FileSystemLoader([*folders, Path(__file__).parent / "templates"]),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": _number, "told": told}
    made.globals |= {"_": _, "several": several}
    made.globals["more_and_fewer"] = users.more_and_fewer
    return made


def _number(value: float | None, signed: bool = False) -> str:
    return table.NOTHING if value is None else table.number(value, signed)
