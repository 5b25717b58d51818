"""What a figure shows, as plain numbers: the page draws them with Plotly, paper with matplotlib, both from here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal

import numpy as np

from sim.study import stats
from sim.study.stats import Estimate
from sim.units import F64
from sim.words import told

Number = float | None  # None: nothing to show there


@dataclass(frozen=True, slots=True)
class Line:
    """The values of one strategy, one for each place of the figure, with their interval if there is one."""

    name: str
    mean: tuple[Number, ...]
    low: tuple[Number, ...] = ()
    high: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: `places` along it (days, channels, groups, steps), and a line of values for each strategy.

    `kind` says how it is drawn: ``curves`` (a line with a band), ``bars`` (lying, in groups), ``dots`` (with the
    interval as a bar) or ``waterfall`` (steps from a total to a total, one panel for each line).
    """

    name: str  # of its file
    kind: Literal["curves", "bars", "dots", "waterfall"]
    title: str
    places_are: str
    values_are: str
    places: tuple[str | float, ...]
    lines: tuple[Line, ...]
    totals: tuple[int, ...] = ()  # of a waterfall: the places that are sums of what stands before them
    zero: bool = False  # whether 0 is a line that matters

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)


def channel(name: str) -> str:
    """A channel as people call it."""
    return told(name).replace("_", " ")


def line(name: str, rows: Sequence[F64]) -> Line:
    """Mean and 95 % interval at each place over the runs; of one run no interval. `rows`: (runs, places)."""
    found = [stats.estimate(column) for column in np.asarray(rows, np.float64).T] if len(rows) else []
    many = len(rows) > 1
    return Line(
        name,
        tuple(number(each.mean) for each in found),
        tuple(number(each.low) for each in found) if many else (),
        tuple(number(each.high) for each in found) if many else (),
    )


def number(value: float) -> Number:
    """Six significant digits, None for what is not defined."""
    return float(f"{value:.6g}") if isfinite(value) else None


def mean(rows: Iterable[float]) -> Number:
    """The mean over runs."""
    found = np.fromiter(rows, np.float64)
    return number(float(found.mean())) if found.size else None


def paired(own: Mapping[int, F64], base: Mapping[int, F64]) -> list[F64]:
    """What differs from the baseline in each world that both have, by number of the replication."""
    return [own[at] - base[at] for at in sorted(own.keys() & base.keys())]


def estimate(rows: Sequence[float]) -> Estimate:
    """Mean and 95 % interval of a number over runs."""
    return stats.estimate(np.asarray(rows, np.float64))
