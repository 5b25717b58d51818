"""What came out, in pieces of HTML: strategies side by side, and the report's own sections of the same ledgers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from sim.metrics.catalog import METRICS
from sim.report import channels, daily, findings, material, money, page
from sim.report.material import Cell, Material
from sim.report.page import piece
from sim.report.shape import Figure, Line
from sim.report.shape import number as rounded
from sim.study import stats
from sim.study.comparison import Comparison, heading
from sim.study.table import alike, number
from sim.units import F64
from sim.web.predictions import Prediction, judged, winner
from sim.web.work import Running
from sim.words import _, told

TEMPLATES = Path(__file__).parent / "templates"
UNKNOWN = stats.Estimate(np.nan, np.nan, np.nan)
SECTIONS: Mapping[str, Any] = {"findings": findings, "daily": daily, "channels": channels, "money": money}


@dataclass(frozen=True, slots=True)
class Piece:
    """HTML, and the figures that stand in it by their names."""

    html: str
    figures: Mapping[str, Any]
    strategies: tuple[str, ...]


class Seen:
    """What the sections of the report saw in the ledgers of a comparison, each ledger read once."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._seen: dict[tuple[str, int], dict[str, Any]] = {}
        self._lock = Lock()

    def compared(self, predictions: list[Prediction]) -> Piece | None:
        """Strategies side by side, in every metric. None while nothing is finished."""
        found = self._running.found
        if found is None:
            return None
        made = material.of(found)
        told_of = findings.tell(made, self._looked("findings", made))
        figures = [figure for figure in [history(found)] if figure.lines]
        return _piece(
            "result.html.j2",
            made,
            figures,
            lines=lines(found),
            worlds=found.worlds(*found.strategies),
            heading=heading(found.metrics[0], told),
            history=figures,
            told={"findings": told_of},
            predictions=_judged(found, predictions),
            winner=_winner(found),
        )

    def section(self, name: str, heading: str) -> Piece | None:
        """A section of the report under a heading. None while nothing is finished."""
        found = self._running.found
        if found is None:
            return None
        made = material.of(found)
        own = SECTIONS[name].tell(made, self._looked(name, made))
        return _piece("section.html.j2", made, own.get("figures", ()), name=name, heading=heading, told={name: own})

    def _looked(self, name: str, made: Material) -> dict[Cell, Any]:
        """What a section saw in each run; ledgers that are new are read now, for all sections."""
        with self._lock:
            for cell in made.cells:
                if (cell.strategy, cell.number) not in self._seen:
                    ledger = cell.ledger()
                    looks = {each: section.look(cell, ledger, made) for each, section in SECTIONS.items()}
                    ledger.close()
                    self._seen[cell.strategy, cell.number] = looks
            return {cell: self._seen[cell.strategy, cell.number][name] for cell in made.cells}


def report(folder: Path) -> str:
    """The report of a comparison's folder, as `wxsim report` writes it."""
    return page.html(page.report(material.read(folder)))


@dataclass(frozen=True, slots=True)
class Side:
    """A strategy in the first metric. Places are per cent of the width of a scale that all rows share."""

    strategy: str
    number: int
    mean: str
    difference: str
    low: str
    high: str
    verdict: str
    said: str
    more: str
    at: float | None
    begin: float | None
    end: float | None
    nothing: float | None


def lines(found: Comparison) -> list[Side]:
    """Each strategy's mean, paired difference, interval and verdict, as `Comparison` makes them; and synergies.

    While some strategies are ahead of others, means are over the worlds that all have finished, if there are any.
    """
    metric, every = found.metrics[0], np.logical_and.reduce(list(found.done.values()))
    differences = {name: found.difference(name, metric) for name in found.strategies if name != found.baseline}
    synergies = {name: found.synergy(name, metric) for name in found.combined}
    ends = [value for each in (*differences.values(), *synergies.values()) for value in _ends(each.estimate)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    wide = (high - low) or 1.0

    def place(value: float) -> float | None:
        return round(4 + 92 * (value - low) / wide, 2) if np.isfinite(value) else None

    def side(name: str, at: int, mean: str, each: stats.Difference | None, worlds: int) -> Side:
        one = each.estimate if each else UNKNOWN
        same = each is not None and each.verdict == "same"
        verdict, colon, more = (each.verdict if each else "baseline").partition(": ")
        return Side(
            strategy=name,
            number=at,
            mean=mean,
            difference=number(one.mean, signed=True) if each else "",
            low=number(one.low, signed=True),
            high=number(one.high, signed=True),
            verdict=verdict,
            said=alike(worlds) if same else told(verdict + colon.strip()),
            more=more,
            at=place(one.mean),
            begin=None if same else place(one.low),
            end=place(one.high),
            nothing=place(0.0),
        )

    out = []
    for at, name in enumerate(found.strategies):
        mean = stats.estimate(found.per_seed(name, metric)[every if every.any() else found.done[name]]).mean
        out.append(side(name, at, number(mean), differences.get(name), found.worlds(name)))
        if name in synergies:
            parts = found.combined[name]
            what = _("synergy: {strategy} less {parts}", strategy=name, parts=_(", ").join(parts))
            out.append(side(what, at, "", synergies[name], found.worlds(name, *parts)))
    return out


def history(found: Comparison) -> Figure:
    """How the intervals of the first metric tightened with the seeds, those that both have finished, in their order."""
    metric, others = found.metrics[0], [name for name in found.strategies if name != found.baseline]
    paired = {name: _paired(found, name, metric) for name in others}
    places = tuple(range(2, max((values.size for values in paired.values()), default=0) + 1))
    drawn = []
    for name, values in paired.items():
        each = [stats.estimate(values[:count]) if count <= values.size else UNKNOWN for count in places]
        means, lows, highs = (tuple(rounded(getattr(one, end)) for one in each) for end in ("mean", "low", "high"))
        drawn.append(Line(name, means, lows, highs))
    title = _("Intervals tighten as worlds arrive")
    unit = told(METRICS[metric].unit) if METRICS[metric].unit else ""
    return Figure("history", "curves", title, _("worlds"), unit, places, tuple(drawn if places else ()), zero=True)


def _paired(found: Comparison, strategy: str, metric: str) -> F64:
    """The differences to the baseline in the worlds that both have finished, in their order."""
    both = found.done[strategy] & found.done[found.baseline]
    out: F64 = (found.per_seed(strategy, metric) - found.per_seed(found.baseline, metric))[both]
    return out


def _ends(found: stats.Estimate) -> list[float]:
    return [value for value in (found.mean, found.low, found.high) if np.isfinite(value)]


def _winner(found: Comparison) -> str:
    """The best by its mean difference so far."""
    metric = found.metrics[0]
    means = {name: found.difference(name, metric).estimate.mean for name in found.strategies if name != found.baseline}
    known = {name: mean for name, mean in means.items() if np.isfinite(mean)}
    return winner({found.baseline: 0.0, **known}, METRICS[metric].higher_is_better)


def _judged(found: Comparison, predictions: list[Prediction]) -> list[tuple[Any, ...]]:
    """Each prediction, whom it lets win and whether that is right so far, and its strategies one by one."""
    better, best = METRICS[found.metrics[0]].higher_is_better, _winner(found)
    winners = [each.winner(found.baseline, better) for each in predictions]
    return [(each, wins, wins == best, judged(found, each)) for each, wins in zip(predictions, winners, strict=True)]


def _piece(template: str, made: Material, figures: Any, **values: Any) -> Piece:
    names = made.comparison.strategies
    html = piece(template, TEMPLATES, material=made, comparison=made.comparison, strategies=list(names), **values)
    return Piece(html, {figure.name: figure.as_dict() for figure in figures}, names)
