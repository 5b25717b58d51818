"""A study as a picture, by strategy, with intervals: metrics over one axis as lines with bands, over two as maps, over

each of several as lines, averaged over the others.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import StudyError
from sim.study.comparison import heading
from sim.study.figure import PALETTE, paper, plain
from sim.study.results import Results
from sim.study.stats import estimate
from sim.study.table import number
from sim.units import F64
from sim.words import _, several, told

MARKS = "os^Dv<>p"
PANEL = 2.6  # inches


def varied(found: Results) -> list[str]:
    """The axes that have several values."""
    return [axis for axis in found.axes if len({str(point.get(axis)) for point in found.points}) > 1]


def shown(found: Results, levels: bool) -> tuple[list[str], str]:
    """The strategies that a picture shows, and in words what of them."""
    if levels or len(found.strategies) == 1:
        return [*found.strategies], ""
    others = [name for name in found.strategies if name != found.baseline]
    return others, _("difference to {baseline}", baseline=found.baseline)


def values(found: Results, strategy: str, metric: str, levels: bool) -> F64:
    """What is shown of a strategy: its metric, or what it changes of it against the baseline, (points, seeds)."""
    if levels or len(found.strategies) == 1:
        return found.values(strategy, metric)
    return found.difference(strategy, metric)


def draw(found: Results, *paths: Path, levels: bool = False) -> None:
    """Write the picture as PNG or SVG: a panel per metric, in maps one per strategy too, else one per axis."""
    axes = varied(found)
    if not axes:
        raise StudyError(_("{folder}: nothing varies, so there is nothing to draw", folder=found.folder))
    strategies, what = shown(found, levels)
    across = len(strategies) if len(axes) == 2 else len(axes)
    width = 7.5 if across == 1 else max(4.5, 3.8 * across)
    with paper(width, PANEL * len(found.metrics) + 0.6, *paths) as figure:
        panels = figure.subplots(len(found.metrics), across, squeeze=False)
        for row, metric in zip(panels, found.metrics, strict=True):
            if len(axes) == 2:
                for panel, strategy in zip(row, strategies, strict=True):
                    _map(panel, found, axes, strategy, metric, levels)
            else:
                for panel, axis in zip(row, axes, strict=True):
                    _lines(panel, found, axis, strategies, metric, levels)
        seeds = several("{count} seed, 95 % intervals", "{count} seeds, 95 % intervals", len(found.said["seeds"]))
        figure.suptitle(plain(f"{found.title}\n{what}{', ' * bool(what)}{seeds}"))


def _lines(panel: Any, found: Results, axis: str, strategies: Sequence[str], metric: str, levels: bool) -> None:
    ticks = ordered([point.get(axis) for point in found.points])
    by_size = numeric(ticks)
    x = np.array(ticks, float) if by_size else np.arange(len(ticks), dtype=float)
    for at, strategy in enumerate(strategies):
        rows = [estimate(row) for row in along(found, values(found, strategy, metric, levels), axis)[1]]
        colour, mark = PALETTE[(at + 1) % len(PALETTE)], MARKS[at % len(MARKS)]
        panel.plot(x, [row.mean for row in rows], f"{mark}-", color=colour, markersize=4, label=plain(strategy))
        panel.fill_between(
            x, [row.low for row in rows], [row.high for row in rows], color=colour, alpha=0.2, linewidth=0
        )
    if not by_size:
        panel.set_xticks(x, [plain(str(tick)) for tick in ticks])
    if not levels and len(found.strategies) > 1:
        panel.axhline(0.0, color="black", linewidth=0.8)
    panel.set_xlabel(plain(axis))
    panel.set_title(plain(heading(metric, told)), loc="left", fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(fontsize=8, frameon=False)


def _map(panel: Any, found: Results, axes: Sequence[str], strategy: str, metric: str, levels: bool) -> None:
    """A map of means; in brackets where the interval of a difference holds 0."""
    ticks = [ordered([point.get(axis) for point in found.points]) for axis in axes]
    grid = np.full((len(ticks[1]), len(ticks[0])), np.nan)
    differs = not levels and len(found.strategies) > 1
    for point, row in zip(found.points, values(found, strategy, metric, levels), strict=True):
        at = ticks[1].index(point.get(axes[1])), ticks[0].index(point.get(axes[0]))
        here = estimate(row)
        grid[at] = here.mean
        said = number(here.mean, differs)
        unsure = differs and not (here.low > 0.0 or here.high < 0.0)
        panel.annotate(
            f"({said})" if unsure else said,
            at[::-1],
            ha="center",
            va="center",
            fontsize=7,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )
    most = np.nanmax(np.abs(grid)) if np.isfinite(grid).any() else 1.0
    limits = {"cmap": "PuOr", "vmin": -most, "vmax": most} if differs else {"cmap": "cividis"}
    panel.imshow(grid, aspect="auto", origin="lower", **limits)
    panel.set_xticks(range(len(ticks[0])), [plain(str(value)) for value in ticks[0]])
    panel.set_yticks(range(len(ticks[1])), [plain(str(value)) for value in ticks[1]])
    panel.set_xlabel(plain(axes[0]), fontsize=8)
    panel.set_ylabel(plain(axes[1]), fontsize=8)
    panel.set_title(plain(f"{heading(metric, told)}\n{strategy}"), loc="left", fontsize=9)


def along(found: Results, here: F64, axis: str, at: Sequence[int] = ()) -> tuple[list[Any], F64]:
    """The values of an axis, and what is shown at each, (values, seeds): the mean over the points that have it.

    Of some points (their numbers, by default of all).
    """
    stated = [(found.points[n].get(axis), n) for n in at or range(len(found.points))]
    ticks = ordered([value for value, _n in stated])
    return ticks, np.stack([here[[n for value, n in stated if value == tick]].mean(axis=0) for tick in ticks])


def ordered(stated: Sequence[Any]) -> list[Any]:
    """Different values, numbers by size, others as they come."""
    different = list(dict.fromkeys(stated))
    return sorted(different) if numeric(different) else different


def numeric(stated: Sequence[Any]) -> bool:
    """Whether all values are numbers; a switch is none."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in stated)
