"""The answer of a study in words and numbers: where a strategy is better, by how much, what each axis does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sim.metrics.catalog import METRICS
from sim.study.chart import ordered, shown, values, varied
from sim.study.comparison import heading
from sim.study.results import Results
from sim.study.stats import Estimate, estimate, verdict
from sim.study.table import NOTHING, number, wrapped
from sim.units import F64
from sim.words import _, marked, several, told
from sim.words.columns import cut, left, right

_POINT, _MEAN, _INTERVAL = 33, 9, 21


def text(found: Results, levels: bool = False) -> str:
    """Per metric and strategy the answer in sentences, then every point with its mean, interval and verdict."""
    strategies, what = shown(found, levels)
    said = marked("{title} ({what}, {seeds})") if what else marked("{title} ({seeds})")
    count = several("{count} seed", "{count} seeds", len(found.said["seeds"]))
    lines = [*wrapped(_(said, title=found.title, what=what, seeds=count))]
    for metric in found.metrics:
        for strategy in strategies:
            here = values(found, strategy, metric, levels)
            lines += ["", *wrapped(_("{what}: {strategy}", what=heading(metric, told), strategy=strategy))]
            for sentence in sentences(found, here, metric, differs=bool(what)):
                lines += wrapped(f"  {sentence}")
            lines += ["", *_table(found, here, metric, differs=bool(what))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def sentences(found: Results, here: F64, metric: str, *, differs: bool) -> Iterator[str]:
    """What was found of a metric, or of a difference in it (points, seeds), each sentence from its numbers."""
    rows = [estimate(row) for row in here]
    known = [at for at, row in enumerate(rows) if np.isfinite(row.mean)]
    if not known:
        yield _("There is nothing to measure at any point.")
        return
    if differs:
        words = [_word(here[at], rows[at], metric) for at in range(len(rows))]
        counts = {word: words.count(word) for word in dict.fromkeys(sorted(words))}
        said = ", ".join(_("{verdict} at {count}", verdict=_(word), count=count) for word, count in counts.items())
        yield _("Of {count} points: {said}.", count=len(rows), said=said)
    if len(rows) > 1:
        most, least = max(known, key=lambda at: rows[at].mean), min(known, key=lambda at: rows[at].mean)
        for said, at in ((marked("Most at {where}: {value}."), most), (marked("Least at {where}: {value}."), least)):
            yield _(said, where=_where(found, at), value=_said(rows[at], differs))
    for axis in varied(found):
        yield from _trend(found, here, axis)


def _trend(found: Results, here: F64, axis: str) -> Iterator[str]:
    """What going along an axis from its first value to its last changes, on average over the other axes, by seed."""
    ticks = ordered([point.get(axis) for point in found.points])
    ends = [
        {
            tuple(point.get(other) for other in found.axes if other != axis): at
            for at, point in enumerate(found.points)
            if point.get(axis) == end
        }
        for end in (ticks[0], ticks[-1])
    ]
    both = [place for place in ends[0] if place in ends[1]]
    if both:
        change = estimate(np.mean([here[ends[1][place]] - here[ends[0][place]] for place in both], axis=0))
        if np.isfinite(change.mean):
            said = marked("From {axis} = {first} to {last} it changes by {change}; cannot be told from luck.")
            if change.low > 0.0 or change.high < 0.0:
                said = marked("From {axis} = {first} to {last} it changes by {change}.")
            yield _(said, axis=axis, first=ticks[0], last=ticks[-1], change=_said(change, True))


def _table(found: Results, here: F64, metric: str, *, differs: bool) -> Iterator[str]:
    point = ", ".join(varied(found)) or _("point")
    yield _line(point, _("mean"), _("95 % interval"), _("verdict") if differs else "")
    for at, row in enumerate(here):
        mean = estimate(row)
        interval = f"{number(mean.low, differs)} .. {number(mean.high, differs)}" if np.isfinite(mean.low) else NOTHING
        word = _word(row, mean, metric) if differs else ""
        yield _line(_where(found, at, names=False), number(mean.mean, differs), interval, _(word))


def _line(point: str, mean: str, interval: str, word: str) -> str:
    return f"  {left(cut(point, _POINT), _POINT)} {right(mean, _MEAN)} {right(interval, _INTERVAL)}  {word}"


def _word(row: F64, mean: Estimate, metric: str) -> str:
    return verdict(row, mean, METRICS[metric].higher_is_better).partition(":")[0]


def _where(found: Results, at: int, names: bool = True) -> str:
    point: Mapping[str, Any] = found.points[at]
    stated: Sequence[str] = varied(found)
    return ", ".join(f"{axis} = {point.get(axis)}" if names else str(point.get(axis)) for axis in stated)


def _said(mean: Estimate, signed: bool) -> str:
    if not np.isfinite(mean.low):
        return number(mean.mean, signed)
    return f"{number(mean.mean, signed)} ({number(mean.low, signed)} .. {number(mean.high, signed)})"
