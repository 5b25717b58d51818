"""The report's figures on paper: PNG and SVG by matplotlib, of the numbers of the page; a function for each kind."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import StudyError, reason
from sim.report.shape import Figure, Number
from sim.study.figure import PALETTE, paper, plain
from sim.units import F64
from sim.words import _

DASHES = ("-", "--", ":", "-.")
MARKS = ("o", "s", "D", "^", "P", "X", "*", "v")
UP, DOWN, TOTAL = PALETTE[3], PALETTE[2], PALETTE[1]
WIDTH = 7.5  # inches


def write(figures: Sequence[Figure], strategies: Sequence[str], folder: Path) -> list[Path]:
    """Write every figure as PNG and SVG into the folder; the paths. The same figures give the same bytes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(
            _("{folder}: figures cannot be written there: {reason}", folder=folder, reason=reason(error))
        ) from None
    out: list[Path] = []
    for shape in figures:
        paths = (folder / f"{shape.name}.png", folder / f"{shape.name}.svg")
        with paper(WIDTH, _height(shape), *paths) as sheet:
            DRAWN[shape.kind](sheet, shape, strategies)
            sheet.suptitle(plain(shape.title))
        out += paths
    return out


def curves(sheet: Any, shape: Figure, strategies: Sequence[str]) -> None:
    """A line with its band for each strategy."""
    axes = _axes(sheet, shape.places_are, shape.values_are)
    for line in shape.lines:
        colour, dash, _ = _look(line.name, strategies)
        if line.low:
            axes.fill_between(
                shape.places, _floats(line.low), _floats(line.high), color=colour, alpha=0.15, linewidth=0
            )
        axes.plot(shape.places, _floats(line.mean), dash, color=colour, label=plain(line.name))
    if shape.zero:
        axes.axhline(0.0, color="black", linewidth=0.8)
    sheet.legend(loc="outside lower center", ncols=2, frameon=False)


def bars(sheet: Any, shape: Figure, strategies: Sequence[str]) -> None:
    """Lying bars, in a group for each place."""
    axes = _axes(sheet, shape.values_are, "")
    rows, thick = np.arange(len(shape.places)), 0.75 / max(len(shape.lines), 1)
    for at, line in enumerate(shape.lines):
        colour, _, _ = _look(line.name, strategies)
        shift = (at - (len(shape.lines) - 1) / 2) * thick
        axes.barh(rows + shift, np.nan_to_num(_floats(line.mean)), thick, color=colour, label=plain(line.name))
    _rows(axes, shape)
    sheet.legend(loc="outside lower center", ncols=2, frameon=False)


def dots(sheet: Any, shape: Figure, strategies: Sequence[str]) -> None:
    """A dot with its interval for each strategy, in a group for each place."""
    axes = _axes(sheet, shape.values_are, "")
    rows, many = np.arange(len(shape.places)), len(shape.lines)
    for at, line in enumerate(shape.lines):
        colour, _, mark = _look(line.name, strategies)
        y = rows + (at - (many - 1) / 2) * min(0.2, 0.7 / many)
        if line.low:
            axes.hlines(y, _floats(line.low), _floats(line.high), color=colour)
        axes.plot(_floats(line.mean), y, mark, color=colour, markersize=5, label=plain(line.name))
    if shape.zero:
        axes.axvline(0.0, color="black", linewidth=0.8)
    _rows(axes, shape)
    sheet.legend(loc="outside lower center", ncols=2, frameon=False)


def waterfall(sheet: Any, shape: Figure, strategies: Sequence[str]) -> None:
    """Steps from total to total, a panel for each strategy."""
    panels = sheet.subplots(len(shape.lines), 1, sharex=True, squeeze=False)[:, 0]
    for axes, line in zip(panels, shape.lines, strict=True):
        values = np.nan_to_num(_floats(line.mean))
        after = np.array([values[at] if at in shape.totals else values[: at + 1].sum() for at in range(values.size)])
        start = np.where(np.isin(np.arange(values.size), shape.totals), 0.0, after - values)
        kinds = [TOTAL if at in shape.totals else UP if values[at] > 0 else DOWN for at in range(values.size)]
        axes.barh(np.arange(values.size), after - start, 0.7, left=start, color=kinds)
        axes.margins(x=0.02)
        axes.set_title(plain(line.name), loc="left", fontsize=9)
        _rows(axes, shape)
        _bare(axes)
    panels[-1].set_xlabel(plain(shape.values_are))


DRAWN: Mapping[str, Callable[[Any, Figure, Sequence[str]], None]] = {
    "curves": curves,
    "bars": bars,
    "dots": dots,
    "waterfall": waterfall,
}


def _height(shape: Figure) -> float:
    """Inches that a figure needs."""
    lines, places = len(shape.lines), len(shape.places)
    legend = 0.5 + 0.18 * ((lines + 1) // 2)
    return {
        "curves": 3.2 + legend,
        "bars": 1.0 + legend + places * (0.12 + 0.1 * lines),
        "dots": 1.0 + legend + places * (0.2 + 0.1 * lines),
        "waterfall": 0.8 + lines * (0.5 + 0.2 * places),
    }[shape.kind]


def _axes(sheet: Any, x: str, y: str) -> Any:
    axes = sheet.subplots()
    axes.set_xlabel(plain(x))
    axes.set_ylabel(plain(y))
    _bare(axes)
    return axes


def _bare(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _rows(axes: Any, shape: Figure) -> None:
    axes.set_yticks(range(len(shape.places)), [plain(str(place)) for place in shape.places])
    axes.set_ylim(len(shape.places) - 0.5, -0.5)


def _look(name: str, strategies: Sequence[str]) -> tuple[str, str, str]:
    """Colour, dash and mark of a strategy, the same in every figure."""
    at = strategies.index(name) if name in strategies else 0
    return PALETTE[at % len(PALETTE)], DASHES[at % len(DASHES)], MARKS[at % len(MARKS)]


def _floats(values: Sequence[Number]) -> F64:
    return np.array(values, np.float64)
