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
from sim.words import ENGLISH, _, marked, several, speaking
from sim.words.columns import cut, left, right

SHOWN = 15  # factors in a table or a figure; the file holds all
_NAME, _VALUE, _INTERVAL, _NOISE = 28, 9, 21, 8
GREY, BLUE, ORANGE = "#bbbbbb", *PALETTE[1:3]
_HEADINGS = {
    "effect": (marked("change over the whole range"), marked("depends on others by")),
    "first": (marked("share of the variance, alone"), marked("with others")),
}


def write(study: Study, findings: Sequence[Finding], out: Path) -> None:
    """Write all that was found into the folder of the sweep, whoever asks in the same words."""
    write_table(list(rows(study, findings)), out, "sensitivity")
    with speaking(ENGLISH):
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
        value = number(found.middle.mean)
        yield _("It is {value} at every point, under every seed: nothing moves it.", value=value)
        return
    if not deciding:
        yield _("None of {count} factors is told from luck; more points (--size) or more seeds may tell.", count=count)
    else:
        names = ", ".join(name for name, _index in deciding[:3]) + (", ..." if len(deciding) > 3 else "")
        yield several(
            "{count} of {whole} factors moves it more than luck does: {names}.",
            "{count} of {whole} factors move it more than luck does: {names}.",
            len(deciding),
            whole=count,
            names=names,
        )
        yield _strongest(found, *deciding[0])
    if found.output.baseline:
        mean = number(found.middle.mean, True)
        yield _("It is above 0 at {share:.0%} of the points, {mean} on average.", share=found.above, mean=mean)
        if deciding and deciding[0][1].kind == "effect":
            turning = [name for name, index in deciding if index.value > abs(found.middle.mean)]
            yield _("Alone enough to turn its sign: {names}.", names=", ".join(turning[:3]) if turning else _("none"))
    if found.seeds == 1:
        yield _("One seed: luck cannot be told from effects; give the study three seeds or more.")
    elif np.isfinite(found.parts.both):
        yield _(
            "Of the variance between runs parameters make {parameters:.0%}, seeds {seeds:.0%} "
            "and both together {both:.0%} ({count} seeds, the same at every point).",
            parameters=found.parts.parameters,
            seeds=found.parts.seeds,
            both=found.parts.both,
            count=found.seeds,
        )
    if found.dropped:
        yield _(
            "Left out: {count} of {whole} blocks of points, in which a run had nothing to measure.",
            count=found.dropped,
            whole=found.blocks + found.dropped,
        )


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
    for at, (_name, both) in enumerate(shown):
        for index, colour, mark, shift in zip(both, (BLUE, ORANGE), "os", (-0.12, 0.12), strict=True):
            if np.isfinite(index.value):
                axes.plot([index.low, index.high], [at + shift] * 2, color=colour, linewidth=1.5)
                axes.plot([index.value], [at + shift], mark, color=colour, markersize=4.5)
        if np.isfinite(both[-1].noise):
            noise = max(0.0, next(index.noise for index in both if index.kind in ("effect", "total")))
            axes.barh(at, noise, height=0.7, color=GREY, zorder=0)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [plain(name) for name, _both in shown], fontsize=7)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_title(plain(found.output.text), loc="left", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for heading, colour, mark in zip(headings, (BLUE, ORANGE), "os", strict=True):
        axes.plot([], [], f"{mark}-", color=colour, label=_(heading), markersize=4.5)
    axes.barh([0], [0], color=GREY, label=_("luck alone"))
    axes.legend(fontsize=7, frameon=False, loc="lower right")


def _strongest(found: Finding, name: str, index: Index) -> str:
    interval = f"({_plain(index.low, index.kind)} .. {_plain(index.high, index.kind)})"
    if index.kind == "effect":
        share = index.value / abs(found.middle.mean) if found.middle.mean else float("nan")
        said = marked("{name} moves it by {value} {interval} over its range.")
        if np.isfinite(share):
            said = marked("{name} moves it by {value} {interval} over its range, {share:.0%} of its mean.")
        return _(said, name=name, value=number(index.value), interval=interval, share=share)
    alone = next(each for at, both in found.ranked if at == name for each in both if each.kind == "first")
    return _(
        "{name} makes {share:.0%} {interval} of its variance, {alone:.0%} of it alone.",
        name=name,
        share=index.value,
        interval=interval,
        alone=alone.value,
    )


def _table(found: Finding) -> Iterator[str]:
    first, second = found.indices[0]
    names = {"effect": "mu*", "spread": "sigma", "first": marked("first"), "total": marked("total")}
    main, other = (first, second) if first.kind == "effect" else (second, first)
    yield _line("", _(names[main.kind]), _("95 % interval"), _("luck"), _(names[other.kind]))
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
        yield _("  ... and {count} more in sensitivity.csv", count=len(found.factors) - SHOWN)
    if any(not next(each for each in both if each.kind == main.kind).matters for _name, both in found.ranked):
        yield _("  ? not told from luck")


def _line(name: str, value: str, interval: str, noise: str, beside: str) -> str:
    cells = ((value, _VALUE), (interval, _INTERVAL), (noise, _NOISE), (beside, _NOISE))
    name = cut(name[::-1], _NAME)[::-1]  # of a path the end says more
    return "  " + left(name, _NAME) + "".join(" " + right(text, wide) for text, wide in cells)


def _plain(value: float, kind: str) -> str:
    return number(value) if kind == "effect" else f"{value:.0%}"
