"""The report of a study: what was found at each point of its design, in sentences, figures and numbers."""

import json
from pathlib import Path
from typing import Any

from sim.metrics.catalog import METRICS
from sim.report.page import asset, plotly, render
from sim.report.shape import Figure, Line, line, number
from sim.study.answer import sentences
from sim.study.chart import numeric, ordered, shown, values, varied
from sim.study.comparison import heading
from sim.study.results import results
from sim.study.stats import estimate, verdict
from sim.study.sweep import STUDY
from sim.units import F64

MOST_PANELS = 8  # values of a second axis that get a figure each


class StudyReport:
    """What the page of a study tells; `figures` are drawn on paper too."""

    def __init__(self, folder: Path) -> None:
        self.found = results(folder)
        self.strategies, what = shown(self.found, levels=False)
        self.differs = bool(what)
        self._values = {
            (name, metric): values(self.found, name, metric, levels=False)
            for metric in self.found.metrics
            for name in self.strategies
        }
        self.figures: tuple[Figure, ...] = tuple(self._drawn())

    def told(self) -> dict[str, Any]:
        """Everything that the template needs."""
        found = self.found
        rows = found.to_arrow().select(["strategy", "seed", "status", "error"]).to_pylist()
        return {
            "points": found.points,
            "seeds": found.said["seeds"],
            "merchant": found.said.get("merchant", ""),
            "baseline": found.baseline,
            "expectation": str(found.said.get("expectation", "")).strip(),
            "runs": len(rows),
            "done": sum(row["status"] == "done" for row in rows),
            "failures": [row for row in rows if row["status"] == "failed"],
            "varied": {axis: ordered([point.get(axis) for point in found.points]) for axis in varied(found)},
            "differs": self.differs,
            "answers": [self._answer(name, metric) for metric in found.metrics for name in self.strategies],
            "figures": self.figures,
        }

    def _answer(self, strategy: str, metric: str) -> dict[str, Any]:
        here = self._values[strategy, metric]
        return {
            "strategy": strategy,
            "quoted": json.dumps(strategy, ensure_ascii=False),
            "number": self.found.strategies.index(strategy),
            "metric": metric,
            "heading": heading(metric),
            "sentences": [*sentences(self.found, here, metric, differs=self.differs)],
            "rows": [self._row(at, here[at], metric) for at in range(len(self.found.points))],
        }

    def _row(self, at: int, row: F64, metric: str) -> dict[str, Any]:
        mean, point = estimate(row), self.found.points[at]
        return {
            "where": [point.get(axis) for axis in varied(self.found)],
            "mean": number(mean.mean),
            "low": number(mean.low),
            "high": number(mean.high),
            "verdict": verdict(row, mean, METRICS[metric].higher_is_better) if self.differs else "",
        }

    def _drawn(self) -> list[Figure]:
        """Metrics along the one axis that varies, or along the first at each value of the second."""
        axes = varied(self.found)
        if len(axes) == 1:
            return [self._curves(metric, axes[0], metric) for metric in self.found.metrics]
        if len(axes) != 2:
            return []
        ends = ordered([point.get(axes[1]) for point in self.found.points])[:MOST_PANELS]
        return [
            self._curves(f"{metric}-{at}", axes[0], metric, axes[1], end)
            for metric in self.found.metrics
            for at, end in enumerate(ends)
        ]

    def _curves(self, name: str, axis: str, metric: str, other: str = "", end: object = None) -> Figure:
        at = [n for n, point in enumerate(self.found.points) if not other or point.get(other) == end]
        ticks = ordered([self.found.points[n].get(axis) for n in at])
        order = sorted(at, key=lambda n: (ticks.index(self.found.points[n].get(axis)), n))
        lines: list[Line] = [line(each, [*self._values[each, metric][order].T]) for each in self.strategies]
        places: list[Any] = [self.found.points[n].get(axis) for n in order]
        title = f"{METRICS[metric].title}{', ahead of ' + self.found.baseline if self.differs else ''}"
        return Figure(
            name.replace("@", "-at-"),
            "curves",
            title + (f" ({other} = {end})" if other else ""),
            axis,
            METRICS[metric].unit,
            tuple(places if numeric(ticks) else map(str, places)),
            tuple(lines),
            zero=self.differs,
        )


def html(made: StudyReport) -> str:
    """The page."""
    names = [*made.found.strategies]
    return render(
        "study.html.j2",
        scripts=(plotly(), asset("figures.js"), asset("page.js")),
        styles=(asset("page.css"),),
        data={"figures": {figure.name: figure.as_dict() for figure in made.figures}, "strategies": names},
        title=made.found.title,
        strategies=names,
        told=made.told(),
    )


def is_study(folder: Path) -> bool:
    """Whether a folder is that of a study."""
    return (folder / STUDY.manifest).is_file()
