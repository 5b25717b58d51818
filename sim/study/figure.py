"""A comparison as a picture: every seed's difference to the baseline as a dot, the mean and its interval as a bar."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sim.study.comparison import Comparison, heading
from sim.words import ENGLISH, _, speaking, spoken, told

# Told apart by every eye (after Okabe & Ito 2008), grey for what the others are compared with.
PALETTE = ("#4d4d4d", "#0072b2", "#d55e00", "#009e73", "#b6609a", "#2f8fc4", "#b58900", "#7a4fb5")
CHINESE = (  # fonts that hold it, the best first
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "SimHei",
)
PACKAGE = "fonts-wqy-microhei"  # of a small font that holds Chinese
LEFT, RIGHT, EDGE = 2.6, 0.3, 0.5  # inches around the panels
ROW, HEAD = 0.32, 0.75  # inches for a strategy, and around each panel
COLOURS = {"better": "#1b7837", "worse": "#b2182b"}
NEUTRAL = "#4d4d4d"


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture as PNG: a panel per metric, a row per strategy; nothing, if there is one strategy only."""
    others = [name for name in comparison.strategies if name != comparison.baseline]
    if not others:
        return
    height = len(comparison.metrics) * (ROW * len(others) + HEAD) + EDGE
    with paper(7.5, height, path) as figure:
        panels = figure.subplots(len(comparison.metrics), 1, squeeze=False)[:, 0]
        for axes, metric in zip(panels, comparison.metrics, strict=True):
            _panel(axes, comparison, metric, others)
        figure.suptitle(
            plain(
                _(
                    "{title}\ndifference to {baseline}, {count} seeds",
                    title=comparison.title,
                    baseline=comparison.baseline,
                    count=len(comparison.seeds),
                )
            )
        )


@contextmanager
def paper(width: float, height: float, *paths: Path) -> Iterator[Any]:
    """A figure of so many inches, written when the block ends well: PNG or SVG, the same bytes whenever it is made.

    Without a font that holds Chinese it speaks English.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with (
        rc_context({"font.size": 9, "svg.hashsalt": "wxsim", "font.family": _fonts()}),
        readable(),
    ):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        for path in paths:
            figure.savefig(path, dpi=150, metadata={"Date" if path.suffix == ".svg" else "Software": None})


@contextmanager
def readable() -> Iterator[str]:
    """Within it, everything is told so that figures can show it: in English without a font for the user's language.

    It gives a line that says so and what to install, or nothing.
    """
    if spoken() == ENGLISH or len(_fonts()) > 1:
        yield ""
        return
    lacking = _("No Chinese font is installed, so figures are labelled in English; on Debian: apt install {package}")
    with speaking(ENGLISH):
        yield lacking.format(package=PACKAGE)


def _panel(axes: Any, comparison: Comparison, metric: str, others: list[str]) -> None:
    both = comparison.done[comparison.baseline]
    baseline = comparison.per_seed(comparison.baseline, metric)
    for row, name in enumerate(others):
        paired = (comparison.per_seed(name, metric) - baseline)[both & comparison.done[name]]
        found = comparison.difference(name, metric)
        colour = COLOURS.get(found.verdict, NEUTRAL)
        spread = np.linspace(-0.18, 0.18, paired.size) if paired.size > 1 else np.zeros(paired.size)
        axes.plot(paired, row + spread, ".", color=colour, alpha=0.6, markersize=6, markeredgewidth=0)
        if math.isfinite(found.estimate.low):
            axes.plot([found.estimate.low, found.estimate.high], [row, row], color=colour, linewidth=2)
        axes.plot([found.estimate.mean], [row], "D", color=colour, markersize=5)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(others)), [plain(name) for name in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_title(plain(heading(metric, told)), loc="left", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)


@cache
def _fonts() -> tuple[str, ...]:
    """Fonts that are installed and hold Chinese, then matplotlib's own."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {font.fname for font in fontManager.ttflist}
    if not any(font.name in CHINESE for font in fontManager.ttflist):
        for path in sorted({*findSystemFonts()} - known):  # matplotlib keeps a list from before they were installed
            with suppress(OSError, RuntimeError):
                fontManager.addfont(path)
    installed = {font.name for font in fontManager.ttflist}
    return (*(name for name in CHINESE if name in installed), "DejaVu Sans")


def plain(text: str) -> str:
    """Plain text (matplotlib takes `$` for mathematics), with a box for what no installed font can show."""
    text = text.replace("$", r"\$")
    return text if len(_fonts()) > 1 else "".join(c if ord(c) < 0x2E80 else "□" for c in text)
