"""The report of a study: what was found at each point of its design, in sentences, figures and numbers."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sim.metrics.catalog import METRICS
from sim.report.page import asset, drawn, plotly, render
from sim.report.shape import Figure, line, number
from sim.study.answer import sentences
from sim.study.chart import along, numeric, ordered, shown, values, varied
from sim.study.comparison import heading
from sim.study.results import Results, results
from sim.study.stats import estimate, verdict
from sim.study.sweep import STUDY
from sim.units import F64
from sim.words import _, told

MOST_PANELS = 8  # values of a second axis that get a figure each
MOST_TICKS = 12  # values of an axis along which means are drawn


class StudyReport:
    """What the page of a study tells, in the user's language; its figures are drawn on paper too."""

    def __init__(self, folder: Path) -> None:
        self.found = results(folder)
        self.strategies, what = shown(self.found, levels=False)
        self.differs = bool(what)
        self.axes = varied(self.found)
        self._values = {
            (name, metric): values(self.found, name, metric, levels=False)
            for metric in self.found.metrics
            for name in self.strategies
        }

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order of the page."""
        return tuple(figure for group in self.drawn() for figure in group["figures"])

    def told(self) -> dict[str, Any]:
        """Everything that the template needs."""
        found = self.found
        rows = found.to_arrow().to_pylist()
        return {
            "points": found.points,
            "seeds": found.said["seeds"],
            "merchant": found.said.get("merchant", ""),
            "baseline": found.baseline,
            "expectation": str(found.said.get("expectation", "")).strip(),
            "runs": len(rows),
            "done": sum(row["status"] == "done" for row in rows),
            "failures": [row for row in rows if row["status"] == "failed"],
            "varied": {axis: ordered([point.get(axis) for point in found.points]) for axis in self.axes},
            "differs": self.differs,
            "answers": [self._answer(name, metric) for metric in found.metrics for name in self.strategies],
            "averaged": len(self.axes) > 2,
            "drawn": self.drawn(),
        }

    def _answer(self, strategy: str, metric: str) -> dict[str, Any]:
        here = self._values[strategy, metric]
        return {
            "strategy": strategy,
            "quoted": json.dumps(strategy, ensure_ascii=False),
            "number": self.found.strategies.index(strategy),
            "metric": metric,
            "heading": heading(metric, told),
            "sentences": [*sentences(self.found, here, metric, differs=self.differs)],
            "rows": [self._row(at, here[at], metric) for at in range(len(self.found.points))],
        }

    def _row(self, at: int, row: F64, metric: str) -> dict[str, Any]:
        mean, point = estimate(row), self.found.points[at]
        word, _colon, more = verdict(row, mean, METRICS[metric].higher_is_better).partition(": ")
        return {
            "where": [point.get(axis) for axis in self.axes],
            "mean": number(mean.mean),
            "low": number(mean.low),
            "high": number(mean.high),
            "verdict": (told(word) + (f": {told(more)}" if more else "")) if self.differs else "",
        }

    def drawn(self) -> list[dict[str, Any]]:
        """Figures by metric: along the one axis that varies, along the first at each value of the second, or along

        each of several, whatever the others are.
        """
        return [
            {"heading": self._title(metric), "figures": figures}
            for metric in self.found.metrics
            if (figures := [*self._of(metric)])
        ]

    def _of(self, metric: str) -> Iterator[Figure]:
        everywhere = range(len(self.found.points))
        if len(self.axes) == 2:
            stated = [point.get(self.axes[1]) for point in self.found.points]
            for panel, end in enumerate(ordered(stated)[:MOST_PANELS]):
                at = [n for n in everywhere if stated[n] == end]
                title = f"{self._title(metric)} ({self.axes[1]} = {end})"
                yield self._curves(f"{metric}-{panel}", title, self.axes[0], metric, at)
            return
        for axis in self.axes:
            if len(self.axes) == 1:
                yield self._curves(metric, self._title(metric), axis, metric, everywhere)
            elif _few(self.found, axis):
                title = _("{metric}, by {axis}", metric=self._title(metric), axis=axis)
                yield self._curves(f"{metric}-by-{_slug(axis)}", title, axis, metric, everywhere)

    def _title(self, metric: str) -> str:
        title = told(METRICS[metric].title)
        return _("{metric}, ahead of {baseline}", metric=title, baseline=self.found.baseline) if self.differs else title

    def _curves(self, name: str, title: str, axis: str, metric: str, at: Sequence[int]) -> Figure:
        """A line for each strategy over the values of an axis at these points."""
        lines = []
        for each in self.strategies:
            ticks, rows = along(self.found, self._values[each, metric], axis, at)
            lines.append(line(each, [*rows.T]))
        return Figure(
            name.replace("@", "-at-"),
            "curves",
            title,
            axis,
            told(METRICS[metric].unit),
            tuple(ticks if numeric(ticks) else map(str, ticks)),
            tuple(lines),
            zero=self.differs,
        )


def _few(found: Results, axis: str) -> bool:
    """Whether an axis has few enough values, each at several points, for means at each of them."""
    stated = [point.get(axis) for point in found.points]
    ticks = ordered(stated)
    return len(ticks) <= MOST_TICKS and all(stated.count(tick) > 1 for tick in ticks)


def _slug(axis: str) -> str:
    return re.sub(r"\W+", "-", axis).strip("-")


def html(made: StudyReport) -> str:
    """The page."""
    names = [*made.found.strategies]

    def tell() -> tuple[dict[str, Any], dict[str, Any]]:
        return drawn(made.figures, names), {"strategies": names, "told": made.told()}

    return render("study.html.j2", made.found.title, tell, scripts=(plotly(), asset("figures.js"), asset("page.js")))


def is_study(folder: Path) -> bool:
    """Whether a folder is that of a study."""
    return (folder / STUDY.manifest).is_file()
