"""A comparison as a table of text, at most 80 columns wide, for a terminal, a mail or a diff."""

import math
from collections.abc import Iterator

from sim.metrics.catalog import METRICS
from sim.study.comparison import Comparison, heading
from sim.study.stats import Difference, Estimate
from sim.words import _, marked, several, told
from sim.words.columns import cut, left, right, width, wrap

WIDTH = 80
NAME, MEAN, DIFFERENCE, INTERVAL, VERDICT = 22, 9, 9, 20, 12  # columns; with gaps of 1 and 2 they make 80
GOOD = {True: marked("{heading}, higher is better"), False: marked("{heading}, lower is better"), None: "{heading}"}
VERDICTS = (  # as `sim.study.stats` says them; what follows the colon apart
    *(marked("better"), marked("worse"), marked("higher"), marked("lower"), marked("same"), marked("undefined")),
    *(marked("cannot tell:"), marked("one seed shows no spread")),
    *(marked("about {n} more seeds"), marked("about {n} more seed"), marked("over {n} more seeds")),
)
NOTHING = "–"


def table(comparison: Comparison) -> str:
    """Per metric a row for each strategy: mean, paired difference to the baseline, its 95 % interval, verdict."""
    return "\n".join(line.rstrip() for line in _lines(comparison)) + "\n"


def number(value: float, signed: bool = False) -> str:
    """Four significant digits: 1.235M, 12,345, 123.4, 0.1235."""
    if not math.isfinite(value):
        return NOTHING
    size = abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M")):
        if size >= limit * 0.99995:
            return f"{value / limit:{'+' if signed else ''}.4g}{unit}"
    if size >= 999.95:
        return f"{value:{'+' if signed else ''},.0f}"
    return f"{value:{'+' if signed else ''}.4g}" if value else "0"


def _lines(comparison: Comparison) -> Iterator[str]:
    count = len(comparison.seeds)
    yield from wrapped(told(comparison.title))
    head = several(
        '{merchant}: {count} seed, each strategy with the same; differences to "{baseline}"',
        '{merchant}: {count} seeds, each strategy with the same; differences to "{baseline}"',
        count,
        merchant=comparison.merchant,
        baseline=comparison.baseline,
    )
    yield from wrapped(head)
    yield ""
    yield _row("", _("mean"), _("difference"), _("95 % interval"), _("verdict"))
    for name in comparison.metrics:
        yield from wrapped(_(GOOD[METRICS[name].higher_is_better], heading=heading(name, told)))
        for strategy in comparison.strategies:
            yield from _strategy(comparison, strategy, name)
            if strategy in comparison.combined:
                worlds = comparison.worlds(strategy, *comparison.combined[strategy])
                yield from _difference("  " + _("synergy"), "", comparison.synergy(strategy, name), worlds)
    yield from _footnotes(comparison)


def _strategy(comparison: Comparison, strategy: str, metric: str) -> Iterator[str]:
    mean = number(comparison.estimate(strategy, metric).mean)
    if strategy == comparison.baseline:
        yield _row(strategy, mean, "", "", _("baseline"))
        return
    yield from _difference(strategy, mean, comparison.difference(strategy, metric), comparison.worlds(strategy))


def _difference(name: str, mean: str, found: Difference, worlds: int) -> Iterator[str]:
    if found.verdict == "same":
        begun = _row(name, mean, number(found.estimate.mean, True), "", "").rstrip()
        yield begun + right(alike(worlds), WIDTH - width(begun))
        return
    verdict, colon, rest = found.verdict.partition(": ")
    told_verdict = told(verdict + colon.strip())
    yield _row(name, mean, number(found.estimate.mean, True), _interval(found.estimate), told_verdict)
    if rest:
        yield right(told(rest), WIDTH)


def alike(worlds: int) -> str:
    """The verdict on strategies between which no world shows a difference."""
    return several("same in {count} world", "same in all {count} worlds", worlds)


def _interval(found: Estimate) -> str:
    return f"{number(found.low, True)} .. {number(found.high, True)}" if math.isfinite(found.low) else NOTHING


def _row(name: str, mean: str, difference: str, interval: str, verdict: str) -> str:
    numbers = (right(text, wide) for text, wide in ((mean, MEAN), (difference, DIFFERENCE + 1), (interval, INTERVAL)))
    return f"  {left(cut(name, NAME), NAME)} {' '.join(numbers)}  {verdict}"


def _footnotes(comparison: Comparison) -> Iterator[str]:
    if comparison.expects:
        yield ""
    for claim in comparison.judged:
        yield from wrapped(_("expected: {claim}", claim=claim))
    for strategy, parts in comparison.combined.items():
        yield ""
        yield from wrapped(
            _(
                "synergy of {strategy}: its difference less the sum of those of {parts}.",
                strategy=strategy,
                parts=", ".join(parts),
            )
        )
    if len(comparison.seeds) == 1:
        yield ""
        yield from wrapped(_("One seed says nothing of luck: there is no interval. Two or more do (--replications N)."))
    if any(
        comparison.difference(s, m).verdict == "undefined" for s in comparison.strategies for m in comparison.metrics
    ):
        yield ""
        yield from wrapped(_("undefined: in some seed there is nothing to measure (no gift sent, say)."))
    if comparison.failures:
        yield ""
    for failure in comparison.failures:
        yield from wrapped(
            _(
                "failed: {strategy}, seed {seed}: {error}",
                strategy=failure.strategy,
                seed=failure.seed,
                error=failure.error,
            )
        )
    if not comparison.complete:
        finished = sum(int(done.sum()) for done in comparison.done.values())
        yield ""
        whole = len(comparison.seeds) * len(comparison.strategies)
        yield _("{finished} of {whole} runs are finished.", finished=finished, whole=whole)


def wrapped(text: str) -> list[str]:
    """Lines of at most WIDTH columns, all but the first indented."""
    return wrap(text, WIDTH, rest="  ")
