"""What a class predicted, beside what came out."""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.study.comparison import Comparison
from sim.study.stats import Estimate

WIDEST = 100  # per cent that a prediction may say, up or down
AS_GOOD = 0.5  # per cent within which somebody says that a strategy changes nothing


@dataclass(frozen=True, slots=True)
class Prediction:
    """What somebody expects of each strategy: its difference to the baseline in the first metric, in per cent."""

    who: str
    percents: Mapping[str, float]

    def winner(self, baseline: str, higher_is_better: bool | None) -> str:
        """Who wins, by it: the best strategy, or the baseline if nothing is above it."""
        return winner({baseline: 0.0, **self.percents}, higher_is_better)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A prediction of one strategy beside what was found, in per cent of the baseline. None: nothing to measure."""

    strategy: str
    said: float
    found: float | None
    low: float | None
    high: float | None
    distance: float | None
    inside: bool | None  # of the interval
    sign: bool | None  # whether it is on the right side of nothing


def winner(differences: Mapping[str, float], higher_is_better: bool | None) -> str:
    """The strategy with the best difference; the first of equals."""
    sign = -1.0 if higher_is_better is False else 1.0
    return max(differences, key=lambda name: sign * differences[name])


def judged(comparison: Comparison, prediction: Prediction) -> list[Judgement]:
    """Each strategy that was predicted and ran, in the comparison's order."""
    return [
        _judged(comparison, strategy, prediction.percents[strategy])
        for strategy in comparison.strategies
        if strategy in prediction.percents and strategy != comparison.baseline
    ]


def in_percent(comparison: Comparison, strategy: str) -> Estimate:
    """The difference in the first metric, in per cent of the baseline's mean over the same worlds; NaN if that is 0."""
    metric = comparison.metrics[0]
    found = comparison.difference(strategy, metric).estimate
    both = comparison.done[strategy] & comparison.done[comparison.baseline]
    base = comparison.per_seed(comparison.baseline, metric)[both]
    mean = float(base.mean()) if base.size else float("nan")
    per = 100.0 / abs(mean) if mean else float("nan")
    return Estimate(found.mean * per, found.low * per, found.high * per)


def _judged(comparison: Comparison, strategy: str, said: float) -> Judgement:
    found = in_percent(comparison, strategy)
    mean, low, high = (None if value != value else value for value in (found.mean, found.low, found.high))
    return Judgement(
        strategy,
        said,
        mean,
        low,
        high,
        None if mean is None else abs(said - mean),
        None if low is None or high is None else low <= said <= high,
        None if mean is None else _side(said) == _side(mean),
    )


def _side(percent: float) -> int:
    return 0 if abs(percent) < AS_GOOD else 1 if percent > 0 else -1
