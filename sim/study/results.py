"""The results of a study, read from its folder, in the form that one likes: Arrow, pandas, polars or xarray.

::

    found = sim.results("runs/gift_deadline-study")
    found.to_pandas().groupby("strategy").margin.mean()
    found.difference("gifts", "margin")        # (points, seeds), what the strategy changes in the same worlds
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.config.advice import did_you_mean
from sim.errors import StudyError
from sim.study import sweep
from sim.units import F64
from sim.words import _, marked

if TYPE_CHECKING:
    import pyarrow as pa


def results(folder: str | Path) -> "Results":
    """The results in the folder that `wxsim sweep` or `wxsim sensitivity` wrote; StudyError if it is none."""
    folder = Path(folder)
    said = sweep.read(folder)
    if not (folder / "results.parquet").exists():
        raise StudyError(_("{folder}: has no results yet; run `wxsim sweep` again", folder=folder))
    return Results(folder, said)


@dataclass(frozen=True)
class Results:
    """A study's runs: a row for each point, strategy and replication, with its metrics."""

    folder: Path
    said: Mapping[str, Any]  # what the study consists of

    @property
    def title(self) -> str:
        """The question."""
        return str(self.said["title"])

    @property
    def baseline(self) -> str:
        """The strategy that the others are compared with."""
        return str(self.said["baseline"])

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was asked for."""
        return tuple(self.said["metrics"])

    @property
    def points(self) -> tuple[Mapping[str, Any], ...]:
        """The points of the design, by axis."""
        return tuple(self.said["points"])

    @property
    def axes(self) -> tuple[str, ...]:
        """What is varied."""
        return tuple(dict.fromkeys(axis for point in self.points for axis in point))

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names, in the study's order."""
        return tuple(dict.fromkeys(strategy for _, strategy, *_ in self.said["runs"]))

    def values(self, strategy: str, metric: str) -> F64:
        """A metric under a strategy, shape (points, seeds); NaN where a run is missing or has nothing to measure."""
        for what, name, known in (
            (marked("strategy"), strategy, self.strategies),
            (marked("metric"), metric, self.metrics),
        ):
            if name not in known:
                raise StudyError(
                    _(
                        "{name!r} is not a {what} of this study; {advice}",
                        name=name,
                        what=_(what),
                        advice=did_you_mean(name, known),
                    )
                )
        return self._values[strategy, metric]

    def difference(self, strategy: str, metric: str) -> F64:
        """What a strategy changes of a metric against the baseline in the same worlds, shape (points, seeds)."""
        return self.values(strategy, metric) - self.values(self.baseline, metric)

    def as_dict(self) -> dict[str, Any]:
        """The tidy table with what it is about, ready for JSON."""
        stated = {
            name: self.said[name] for name in ("title", "expectation", "baseline", "merchant", "metrics", "seeds")
        }
        return {**stated, "points": [dict(point) for point in self.points], "rows": self.to_arrow().to_pylist()}

    def to_arrow(self) -> "pa.Table":
        """The tidy table, a row for each run."""
        import pyarrow.parquet as parquet

        return parquet.read_table(self.folder / "results.parquet")

    def to_pandas(self) -> Any:
        """The tidy table as a data frame of pandas."""
        _module("pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """The tidy table as a data frame of polars."""
        return _module("polars").from_arrow(self.to_arrow())

    def to_xarray(self) -> Any:
        """A data set of xarray: each metric over the axes if the points are their product, else over the points."""
        xarray = _module("xarray")
        levels = [list(dict.fromkeys(point.get(axis) for point in self.points)) for axis in self.axes]
        shape = tuple(len(each) for each in levels)
        rest = (len(self.strategies), len(self.said["seeds"]))
        coordinates: dict[str, Any] = {"strategy": list(self.strategies), "seed": list(self.said["seeds"])}
        order = [
            tuple(each.index(point.get(axis)) for axis, each in zip(self.axes, levels, strict=True))
            for point in self.points
        ]
        product = len(set(order)) == len(order) == np.prod(shape)
        if product:
            dims: tuple[str, ...] = self.axes
            coordinates |= dict(zip(self.axes, levels, strict=True))
        else:
            dims, shape = ("point",), (len(self.points),)
            coordinates |= {axis: ("point", [point.get(axis) for point in self.points]) for axis in self.axes}
        found = {}
        for metric in self.metrics:
            whole = np.stack([self.values(strategy, metric) for strategy in self.strategies], axis=1)
            placed = np.empty((*shape, *rest))
            for at, place in enumerate(order if product else [(at,) for at in range(len(order))]):
                placed[place] = whole[at]
            found[metric] = ((*dims, "strategy", "seed"), placed)
        return xarray.Dataset(found, coordinates, attrs={"title": self.title, "baseline": self.baseline})

    @cached_property
    def _values(self) -> dict[tuple[str, str], F64]:
        shape = (len(self.points), len(self.said["seeds"]))
        return sweep.grid(self.to_arrow().to_pylist(), self.strategies, self.metrics, shape)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise StudyError(_("{name} is not installed; `pip install {name}`", name=name)) from None
