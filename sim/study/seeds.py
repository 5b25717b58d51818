"""How many seeds: adding paired seeds until a question is settled, and confirming the best of several on fresh ones.

Looking after every batch and stopping when the answer pleases makes an ordinary 95 % interval wrong far more often than
in one case of twenty. So the intervals here are a *confidence sequence*: with probability 95 % those of all strategies
hold the truth after every number of seeds, all at once, and one may stop whenever one likes. It is the t confidence
sequence with a normal mixture (Lai 1976; Wang and Ramdas 2025, "Anytime-valid t-tests and confidence sequences for
Gaussian means with unknown variance"): for differences of mean m and standard deviation s over n seeds

    m ± s/√n · √((n - 1)(k - 1) / (1 - k / (1 + n g))),   k = (√(1 + n g) / α)^(2/n)

and the whole line while k ≥ 1 + n g. It is exact for normal differences of unknown spread; others are near it, as their
means are near normal (Waudby-Smith et al. 2024), so nobody stops before `FEWEST` seeds. α is 5 % divided by the number
of comparisons (Bonferroni).

Luck is common to all strategies, so that many differences are exactly 0, and a spread of what was seen tells nothing of
what is seldom: an effect in one world of ten shows eight zeros in 43 cases of 100. So there is no interval before `FEW`
differences are unlike the commonest one. Where all are equal, what is said is how seldom others are: after n equal ones
fewer than one world in ten differs, with error α, if 0.9^n ≤ α, n ≥ log α / log 0.9 (none of n, exact binomial; Clopper
and Pearson 1934). Longer runs of equal ones are rarer, so this too holds whenever one looks. By simulation, looking 400
times or more, intervals err in under 4 % of cases where differences have two values; where they are very skewed, in
more than 5 %: exponential ones, with zeros among them or without, in about 11 %.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import numpy as np

from sim.config.advice import did_you_mean
from sim.config.model import Scenario
from sim.errors import StudyError
from sim.metrics.catalog import METRICS, STANDARD
from sim.study import stats, sweep
from sim.study.compare import replication_seeds
from sim.study.design import Study
from sim.study.stats import CONFIDENCE, Estimate
from sim.study.store import Store
from sim.study.table import number
from sim.units import F64
from sim.words import _, in_english, marked
from sim.words import told as in_words

MIXTURE = 0.3  # g: the sequence is narrowest, for its alpha, near (2 log 1/α + log(2 log 1/α) + 1) / g = 30 seeds
FEWEST = 8  # seeds, before anything is said
FEW = 10  # differences unlike the commonest: with as many, zeros among skewed ones do no harm that these alone do not
SELDOM = 0.1  # a share of worlds that one may leave aside
METHOD = marked("t confidence sequence, normal mixture (Lai 1976; Wang and Ramdas 2025)")
EQUAL = marked("none of n, exact binomial (Clopper and Pearson 1934)")
_GOAL = re.compile(r"\s*(?P<metric>[\w@]+)\s*(?:±|\+/-|\+-)\s*(?P<size>\d+(?:\.\d+)?)\s*(?P<percent>%?)\s*")
_BUDGET = re.compile(r"(?P<size>\d+(?:\.\d+)?)(?P<unit>[smh]?)")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Goal:
    """What settles a comparison: an interval of the difference without 0, or one that is narrow enough."""

    metric: str
    half: float | None = None  # of the interval: in the metric's unit, or as a share of the baseline's mean
    relative: bool = False

    def __str__(self) -> str:
        if self.half is None:
            return _("{metric}: until it is decided which way each strategy differs", metric=self.metric)
        size = _("{share:g} % of the baseline's mean", share=100 * self.half) if self.relative else f"{self.half:g}"
        return _("{metric}: until each difference is known to ± {size}", metric=self.metric, size=size)


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop at the latest."""

    runs: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        if self.runs is not None:
            return _("{count} runs", count=self.runs)
        return _("{seconds:g} s", seconds=self.seconds)


def goal(text: str, metrics: Sequence[str]) -> Goal:
    """``decided`` (the first metric), ``margin decided``, ``margin ± 2%``, or ``margin ± 500``; else a StudyError."""
    words = text.split()
    found = _GOAL.fullmatch(text)
    if words and words[-1] == "decided" and len(words) <= 2:
        made = Goal(words[0] if len(words) == 2 else metrics[0])
    elif found and float(found["size"]) > 0:
        size = float(found["size"])
        made = Goal(found["metric"], size / 100 if found["percent"] else size, bool(found["percent"]))
    else:
        raise StudyError(
            _('--until {text!r}: write "decided", "margin decided", "margin ± 2%" or "margin ± 500"', text=text)
        )
    if made.metric not in METRICS:
        raise StudyError(
            _(
                "--until: {metric!r} is not a metric; {advice}",
                metric=made.metric,
                advice=did_you_mean(made.metric, METRICS),
            )
        )
    return made


def budget(text: str) -> Budget:
    """``200`` runs, or a time: ``90s``, ``10m``, ``2h``. else StudyError."""
    found = _BUDGET.fullmatch(text.strip())
    if found and found["unit"]:
        return Budget(seconds=float(found["size"]) * _UNITS[found["unit"]])
    if found and found["size"].isdigit():
        return Budget(runs=int(found["size"]))
    raise StudyError(_("--budget {text!r}: write a number of runs, 200, or a time: 90s, 10m, 2h", text=text))


def unlike(paired: F64) -> int:
    """How many differences are not the commonest one, up to the rounding of floats."""
    largest = float(np.abs(paired).max(initial=0.0))
    if not largest > 0.0:
        return 0
    _, counts = np.unique(np.round(paired / largest, 12), return_counts=True)
    return int(paired.size - counts.max())


def equal(paired: F64) -> bool:
    """Whether all differences so far are one and the same."""
    return bool(paired.size and np.isfinite(paired).all() and not unlike(paired))


def enough(alpha: float) -> int:
    """Equal differences after which fewer than one world in ten differs, with this chance of error."""
    return math.ceil(math.log(alpha) / math.log(1.0 - SELDOM))


def interval(paired: F64, alpha: float) -> Estimate:
    """The mean difference and its interval in the confidence sequence; infinite where it cannot be told yet."""
    n = paired.size
    if n == 0 or not np.isfinite(paired).all():
        return Estimate(np.nan, np.nan, np.nan)
    mean, width = float(paired.mean()), 1.0 + n * MIXTURE
    ratio = (width**0.5 / alpha) ** (2.0 / n)
    if n < 2 or ratio >= width or unlike(paired) < min(n - 1, FEW):
        return Estimate(mean, -np.inf, np.inf)
    half = stats.sd(paired) * ((n - 1) * (ratio - 1) / (1 - ratio / width) / n) ** 0.5
    return Estimate(mean, mean - half, mean + half)


def settled(paired: F64, baseline: F64, goal: Goal, alpha: float) -> bool:
    """Whether a comparison needs no more seeds: its goal is met, or it is undefined and no seed would help."""
    found = interval(paired, alpha)
    if not np.isfinite(found.mean):
        return True
    if paired.size < FEWEST:
        return False
    if equal(paired):
        return paired.size >= enough(alpha)
    if goal.half is None:
        return not found.low <= 0.0 <= found.high
    return found.high - found.mean <= goal.half * (abs(float(baseline.mean())) if goal.relative else 1.0)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of adding seeds: per strategy the metric of its seeds (the first of all), and what is open."""

    goal: Goal
    baseline: str
    values: Mapping[str, F64]
    open: tuple[str, ...]

    @property
    def alpha(self) -> float:
        """The chance of error that each comparison may use."""
        return (1.0 - CONFIDENCE) / max(1, len(self.values) - 1)

    @property
    def runs(self) -> int:
        """Runs that it took, those that were in the store among them."""
        return sum(values.size for values in self.values.values())

    def paired(self, strategy: str) -> F64:
        """The differences to the baseline, seed by seed."""
        values = self.values[strategy]
        return values - self.values[self.baseline][: values.size]

    def estimate(self, strategy: str) -> Estimate:
        """The mean difference to the baseline, with its interval."""
        return interval(self.paired(strategy), self.alpha)

    def verdict(self, strategy: str) -> str:
        """As in a comparison; of equal differences, once there are enough of them to say that few others are."""
        paired, found = self.paired(strategy), self.estimate(strategy)
        if equal(paired):
            if paired.size < enough(self.alpha):
                return "cannot tell"
            found = Estimate(found.mean, found.mean, found.mean)
        return stats.verdict(paired, found, METRICS[self.goal.metric].higher_is_better).partition(":")[0]


Ask = Callable[[Sequence[str], int], Mapping[str, F64]]  # strategies, seeds: the metric of each of them


def add(ask: Ask, names: Sequence[str], baseline: str, goal: Goal, budget: Budget, first: int) -> Settled:
    """Add paired seeds, half as many again each time, to those comparisons that are still open.

    `ask` gives a metric of strategies for so many seeds, the first ones as before. A strategy that is settled gets no
    more; the baseline gets as many as the others need. A round that the budget has no room for is not begun.
    """
    begun = monotonic()
    count = max(first, FEWEST)
    if budget.runs is not None:
        count = min(count, budget.runs // len(names))
        if count < 2:
            raise StudyError(
                _(
                    "--budget {runs}: {count} strategies need at least {least} runs",
                    runs=budget.runs,
                    count=len(names),
                    least=2 * len(names),
                )
            )
    found = Settled(goal, baseline, ask(names, count), ())
    took = monotonic() - begun
    while True:
        base = found.values[baseline]
        others = [name for name in names if name != baseline]
        found = replace(found, open=tuple(n for n in others if not settled(found.paired(n), base, goal, found.alpha)))
        more = max(FEWEST, count // 2)
        if budget.runs is not None:
            more = min(more, (budget.runs - found.runs) // (len(found.open) + 1))
        if budget.seconds is not None and monotonic() - begun + took > budget.seconds:
            more = 0
        if not found.open or more < 1:
            return found
        count, before = count + more, monotonic()
        found = replace(found, values={**found.values, **ask((baseline, *found.open), count)})
        took = monotonic() - before


def until(scenario: Scenario, goal: Goal, budget: Budget, store: Store, **options: Any) -> Settled:
    """Compare the strategies of a scenario with as many seeds as the goal needs. Runs are kept in the store.

    `options` are those of `sim.study.sweep.fill`. A run that fails is a StudyError; what is done is kept.
    """
    plan, ask = study(scenario), fresh(scenario, goal.metric, 0, store, **options)
    return add(ask, tuple(plan.strategies), plan.baseline, goal, budget, len(plan.seeds))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The best of several strategies, by the seeds that chose it and by others that had no part in that.

    It is the baseline where nothing was seen to beat it; then nothing ran again and there are no estimates.
    """

    metric: str
    baseline: str
    winner: str
    chosen: Estimate  # the difference to the baseline
    fresh: Estimate
    paired: F64  # fresh differences

    @property
    def shrinkage(self) -> float:
        """How much of the difference was luck in being chosen: the winner's curse, in the metric's unit."""
        return self.chosen.mean - self.fresh.mean

    @property
    def verdict(self) -> str:
        """As in a comparison, on the fresh seeds alone."""
        return stats.verdict(self.paired, self.fresh, METRICS[self.metric].higher_is_better)


def confirm(values: Mapping[str, F64], baseline: str, metric: str, ask: Ask, count: int) -> Confirmed:
    """Choose the strategy that is best against the baseline and compare it again on `count` fresh seeds.

    Ties go to the baseline, and then nothing runs. `ask` gives the metric of strategies on fresh seeds. The best of k
    looks better than it is: of k equal ones with independent errors of standard deviation s/√n, by s/√n times the mean
    of the largest of k normal numbers, if that is above 0.
    """
    sign = -1.0 if METRICS[metric].higher_is_better is False else 1.0
    others = [name for name in values if name != baseline]
    if not others:
        raise StudyError(_("there is no best of one strategy"))
    used = {name: values[name] - values[baseline][: values[name].size] for name in others}
    gains = {name: sign * float(paired.mean()) for name, paired in used.items()}
    winner = max((name for name in others if gains[name] > 0.0), key=gains.__getitem__, default=baseline)
    if winner == baseline:
        nothing = np.empty(0)
        return Confirmed(metric, baseline, baseline, stats.estimate(nothing), stats.estimate(nothing), nothing)
    again = ask((baseline, winner), count)
    paired = again[winner] - again[baseline]
    return Confirmed(metric, baseline, winner, stats.estimate(used[winner]), stats.estimate(paired), paired)


def fresh(scenario: Scenario, metric: str, used: int, store: Store, **options: Any) -> Ask:
    """Runs of a scenario on seeds after the first `used`, as `confirm` asks for them."""
    plan = study(scenario)

    def ask(names: Sequence[str], count: int) -> dict[str, F64]:
        seeds = replication_seeds(scenario.seed, used + count)[used:]
        strategies = {name: plan.strategies[name] for name in names}
        return _values(replace(plan, strategies=strategies, seeds=seeds, metrics=(metric,)), store, options)

    return ask


def study(scenario: Scenario) -> Study:
    """A comparison as a study of one point. StudyError if the scenario asks for none."""
    asked = scenario.compare
    if asked is None or asked.baseline not in scenario.strategies:
        raise StudyError(_("nothing to compare; the scenario needs `strategies:` and `compare: {baseline: ...}`"))
    return Study(
        title=scenario.title,
        expectation=scenario.expectation,
        strategies=scenario.strategies,
        paths={},
        points=({},),
        seeds=replication_seeds(scenario.seed, asked.replications),
        metrics=asked.metrics or STANDARD,
        merchant=scenario.focal,
        baseline=asked.baseline,
    )


def _values(asked: Study, store: Store, options: Mapping[str, Any]) -> dict[str, F64]:
    """The metric of each strategy in each seed; NaN where it is undefined. StudyError if a run failed."""
    whole = sweep.plan(asked, store)
    failed: sweep.Failed = {}
    sweep.fill(whole, store, failed, **options)
    if failed:
        error = next(iter(failed.values()))[0]
        raise StudyError(
            _(
                "{count} runs failed, so that seeds are no pairs any more; the first one by: {error}",
                count=len(failed),
                error=error,
            )
        )
    found = sweep.grid(sweep.rows(whole, store, failed), asked.strategies, asked.metrics, (1, len(asked.seeds)))
    return {name: values[0] for (name, _metric), values in found.items()}


def as_dict(found: Settled | None, sure: Confirmed | None) -> dict[str, Any]:
    """Everything, ready for JSON: what is not finite is null."""
    out: dict[str, Any] = {"wxsim": "seeds"}
    if found:
        others = [name for name in found.values if name != found.baseline]
        out |= {"goal": in_english(found.goal), "method": METHOD, "alpha": found.alpha, "runs": found.runs}
        out |= {"baseline": found.baseline, "open": list(found.open)}
        out["seeds"] = {name: values.size for name, values in found.values.items()}
        out["differences"] = {name: _plain(found.estimate(name), found.verdict(name)) for name in others}
        for name in others:
            if equal(found.paired(name)):
                out["differences"][name]["equal"] = _equal(found.paired(name).size, found.alpha)
    return out | confirmed_as_dict(sure)


def confirmed_as_dict(sure: Confirmed | None) -> dict[str, Any]:
    """What confirming found, if the best was confirmed, ready for JSON."""
    if sure is None:
        return {}
    said: dict[str, Any] = {"winner": sure.winner, "metric": sure.metric}
    if sure.winner != sure.baseline:
        said |= {"chosen": _plain(sure.chosen), "fresh": _plain(sure.fresh, sure.verdict)}
        said |= {"shrinkage": stats.finite(sure.shrinkage)}
    return {"confirmed": said}


def _equal(count: int, alpha: float) -> dict[str, Any]:
    """Of so many equal differences: the share of worlds that may differ, at most, and how many would tell a tenth."""
    return {"worlds": count, "enough": enough(alpha), "others_at_most": 1.0 - alpha ** (1.0 / count), "method": EQUAL}


def _plain(found: Estimate, verdict: str = "") -> dict[str, Any]:
    ends = {"mean": stats.finite(found.mean), "low": stats.finite(found.low), "high": stats.finite(found.high)}
    return ends | ({"verdict": verdict} if verdict else {})


def told(found: Settled, budget: Budget) -> str:
    """What came of adding seeds, as lines of text: per strategy its seeds, difference, interval and verdict."""
    count = max(1, len(found.values) - 1)
    lines = [
        _("{goal}; differences to {baseline!r}", goal=found.goal, baseline=found.baseline),
        _("95 % intervals that hold for all strategies ({count}, Bonferroni) and whenever one stops:", count=count),
        _(METHOD),
        "",
    ]
    others = [name for name in found.values if name != found.baseline]
    lines += [
        _("  {name}: {count} seeds, {outcome}", name=name, count=found.values[name].size, outcome=_outcome(found, name))
        for name in others
    ]
    if any(equal(found.paired(name)) for name in others):
        lines += ["", _("equal in all worlds: {method}", method=_(EQUAL))]
    lines.append("")
    left = _("nothing is open")
    if found.open:
        left = _("stopped by the budget of {budget}; open: {names}", budget=budget, names=", ".join(found.open))
    return "\n".join([*lines, _("{count} runs; {left}", count=found.runs, left=left)])


def _outcome(found: Settled, name: str) -> str:
    """A strategy's difference, its interval and verdict; or that all differences are equal, and what follows."""
    paired, each = found.paired(name), found.estimate(name)
    verdict = _("open") if name in found.open else _(found.verdict(name))
    mean, n = number(each.mean, True), paired.size
    if equal(paired):
        if n < enough(found.alpha):
            more = enough(found.alpha)
            return _("{mean} in each of them; {more} would tell that few differ; open", mean=mean, more=more)
        if not each.mean:
            return _("the same in all {n} worlds: fewer than one in ten differ", n=n)
        return _("{mean} in all {n} worlds: fewer than one in ten differ; {verdict}", mean=mean, n=n, verdict=verdict)
    if n >= FEWEST and unlike(paired) < min(n - 1, FEW):
        few = unlike(paired)
        return _(
            "{mean} ({few} unlike the others, too few for an interval), {verdict}", mean=mean, few=few, verdict=verdict
        )
    return _("{mean} ({low} .. {high}), {verdict}", mean=mean, verdict=verdict, **_ends(each))


def said(found: Confirmed, used: int) -> str:
    """What confirming the best found, in lines of text."""
    if found.winner == found.baseline:
        return _(
            "best by {metric}: on {used} seeds nothing is seen to beat {baseline!r}; nothing ran again",
            metric=found.metric,
            used=used,
            baseline=found.baseline,
        )
    n = found.paired.size
    rows = [
        (marked("  on {count} the seeds that chose it: {said}"), used, found.chosen),
        (marked("  on {count} fresh seeds: {said}"), n, found.fresh),
    ]
    said = marked("best by {metric}: {winner}; its difference to {baseline!r}")
    lines = [_(said, metric=found.metric, winner=found.winner, baseline=found.baseline)]
    for what, count, each in rows:
        span = _("in each of them") if each.low == each.high else "({low} .. {high})".format(**_ends(each))
        lines.append(_(what, count=count, said=f"{number(each.mean, True)} {span}"))
    whole, _colon, rest = found.verdict.partition(": ")
    verdict = _("same in all {n} worlds", n=n) if whole == "same" else _(whole)
    verdict = _("{verdict}: {more}", verdict=verdict, more=in_words(rest)) if rest else verdict
    said = marked("  shrinkage (winner's curse): {shrinkage}; on fresh seeds: {verdict}")
    return "\n".join([*lines, _(said, shrinkage=number(found.shrinkage, True), verdict=verdict)])


def _ends(found: Estimate) -> dict[str, str]:
    return {"low": number(found.low, True), "high": number(found.high, True)}
