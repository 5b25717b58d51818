"""What a sensitivity analysis found: computed sentences, a table of text, a tidy table and a figure."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sim.study import folder
from sim.study.design import Study
from sim.study.figure import PALETTE, paper, plain
from sim.study.indices import Index
from sim.study.sensitivity import Finding
from sim.study.stats import finite
from sim.study.sweep import write_table
from sim.study.table import NOTHING, number, wrapped
from sim.words.columns import cut, left, right

SHOWN = 15  # factors in a table or a figure; the file holds all
_NAME, _VALUE, _INTERVAL, _NOISE = 28, 9, 21, 8
GREY, BLUE, ORANGE = "#bbbbbb", *PALETTE[1:3]
_HEADINGS = {
    "effect": ("change over the whole range", "depends on others by"),
    "first": ("share of the variance, alone", "with others"),
}


def write(study: Study, findings: Sequence[Finding], out: Path) -> None:
    """Write all that was found into the folder of the sweep."""
    write_table(list(rows(study, findings)), out, "sensitivity")
    folder.write_text(out / "sensitivity.txt", text(study, findings))
    draw(study, findings, out / "sensitivity.png", out / "sensitivity.svg")


def rows(study: Study, findings: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """The tidy table: a row for each index of each factor of each output, with the range of the factor."""
    for found in findings:
        for name, both in found.ranked:
            stated = [value for point in study.points if isinstance(value := point.get(name), int | float)]
            for index in both:
                yield {
                    "metric": found.output.metric,
                    "strategy": found.output.strategy,
                    "baseline": found.output.baseline or None,
                    "factor": name,
                    "from": float(min(stated)) if stated else None,
                    "to": float(max(stated)) if stated else None,
                    "index": index.kind,
                    **{word: finite(getattr(index, word)) for word in ("value", "low", "high", "noise")},
                    "matters": index.matters,
                }


def as_dict(study: Study, findings: Sequence[Finding]) -> dict[str, Any]:
    """All that was found, ready for JSON: the tidy table."""
    return {"title": study.title, "seeds": len(study.seeds), "rows": list(rows(study, findings))}


def text(study: Study, findings: Sequence[Finding]) -> str:
    """Per output what was found in sentences, and its factors, the strongest first."""
    lines = [*wrapped(study.title)]
    for found in findings:
        lines += ["", *wrapped(found.output.text)]
        for sentence in sentences(found):
            lines += wrapped(f"  {sentence}")
        lines += ["", *_table(found)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def sentences(found: Finding) -> Iterator[str]:
    """What was found of an output, each sentence from its numbers."""
    deciding, count = found.deciding, len(found.factors)
    if found.still:
        yield f"It is {number(found.middle.mean)} at every point, under every seed: nothing moves it."
        return
    if not deciding:
        yield f"None of {count} factors is told from luck; more points (--size) or more seeds may tell."
    else:
        names = ", ".join(name for name, _ in deciding[:3]) + (", ..." if len(deciding) > 3 else "")
        more = "moves" if len(deciding) == 1 else "move"
        yield f"{len(deciding)} of {count} factors {more} it more than luck does: {names}."
        yield _strongest(found, *deciding[0])
    if found.output.baseline:
        yield f"It is above 0 at {found.above:.0%} of the points, {number(found.middle.mean, True)} on average."
        if deciding and deciding[0][1].kind == "effect":
            turning = [name for name, index in deciding if index.value > abs(found.middle.mean)]
            yield f"Alone enough to turn its sign: {', '.join(turning[:3]) if turning else 'none'}."
    if found.seeds == 1:
        yield "One seed: luck cannot be told from effects; give the study three seeds or more."
    elif np.isfinite(found.parts.both):
        said = found.parts
        yield (
            f"Of the variance between runs parameters make {said.parameters:.0%}, seeds {said.seeds:.0%} "
            f"and both together {said.both:.0%} ({found.seeds} seeds, the same at every point)."
        )
    if found.dropped:
        whole = found.blocks + found.dropped
        yield f"Left out: {found.dropped} of {whole} blocks of points, in which a run had nothing to measure."


def draw(study: Study, findings: Sequence[Finding], *paths: Path) -> None:
    """A panel for each output: each factor's two indices with their intervals, and as a bar what luck would show."""
    shown = [found.ranked[:SHOWN] for found in findings]
    height = sum(0.24 * len(each) + 0.9 for each in shown) + 0.5
    with paper(7.5, height, *paths) as figure:
        ratios = [len(each) + 3 for each in shown]
        panels = figure.subplots(len(findings), 1, squeeze=False, height_ratios=ratios)[:, 0]
        for axes, found, each in zip(panels, findings, shown, strict=True):
            _panel(axes, found, each)
        figure.suptitle(plain(study.title))


def _panel(axes: Any, found: Finding, shown: Sequence[tuple[str, tuple[Index, Index]]]) -> None:
    headings = _HEADINGS[shown[0][1][0].kind]
    for at, (_, both) in enumerate(shown):
        for index, colour, mark, shift in zip(both, (BLUE, ORANGE), "os", (-0.12, 0.12), strict=True):
            if np.isfinite(index.value):
                axes.plot([index.low, index.high], [at + shift] * 2, color=colour, linewidth=1.5)
                axes.plot([index.value], [at + shift], mark, color=colour, markersize=4.5)
        if np.isfinite(both[-1].noise):
            noise = max(0.0, next(index.noise for index in both if index.kind in ("effect", "total")))
            axes.barh(at, noise, height=0.7, color=GREY, zorder=0)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [plain(name) for name, _ in shown], fontsize=7)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_title(plain(found.output.text), loc="left", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for heading, colour, mark in zip(headings, (BLUE, ORANGE), "os", strict=True):
        axes.plot([], [], f"{mark}-", color=colour, label=heading, markersize=4.5)
    axes.barh([0], [0], color=GREY, label="luck alone")
    axes.legend(fontsize=7, frameon=False, loc="lower right")


def _strongest(found: Finding, name: str, index: Index) -> str:
    interval = f"({_plain(index.low, index.kind)} .. {_plain(index.high, index.kind)})"
    if index.kind == "effect":
        share = index.value / abs(found.middle.mean) if found.middle.mean else float("nan")
        of = f", {share:.0%} of its mean" if np.isfinite(share) else ""
        return f"{name} moves it by {number(index.value)} {interval} over its range{of}."
    alone = next(each for at, both in found.ranked if at == name for each in both if each.kind == "first")
    return f"{name} makes {index.value:.0%} {interval} of its variance, {alone.value:.0%} of it alone."


def _table(found: Finding) -> Iterator[str]:
    first, second = found.indices[0]
    names = {"effect": "mu*", "spread": "sigma", "first": "first", "total": "total"}
    main, other = (first, second) if first.kind == "effect" else (second, first)
    yield _line("", names[main.kind], "95 % interval", "luck", names[other.kind])
    for name, both in found.ranked[:SHOWN]:
        index = next(each for each in both if each.kind == main.kind)
        beside = next(each for each in both if each.kind == other.kind)
        interval = f"{number(index.low)} .. {number(index.high)}" if np.isfinite(index.low) else NOTHING
        yield _line(
            name + ("" if index.matters else " ?"),
            number(index.value),
            interval,
            number(index.noise),
            number(beside.value),
        )
    if len(found.factors) > SHOWN:
        yield f"  ... and {len(found.factors) - SHOWN} more in sensitivity.csv"
    if any(not next(each for each in both if each.kind == main.kind).matters for _, both in found.ranked):
        yield "  ? not told from luck"


def _line(name: str, value: str, interval: str, noise: str, beside: str) -> str:
    cells = ((value, _VALUE), (interval, _INTERVAL), (noise, _NOISE), (beside, _NOISE))
    name = cut(name[::-1], _NAME)[::-1]  # of a path the end says more
    return "  " + left(name, _NAME) + "".join(" " + right(text, wide) for text, wide in cells)


def _plain(value: float, kind: str) -> str:
    return number(value) if kind == "effect" else f"{value:.0%}"
