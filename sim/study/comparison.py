"""The result of a comparison: every metric of every run, and what the strategies change against the baseline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sim.config.model import Expected
from sim.errors import StudyError
from sim.metrics.catalog import METRICS
from sim.study import stats
from sim.study.expectation import Judged, judge
from sim.study.stats import Difference, Estimate
from sim.units import F64, Bools
from sim.words import ENGLISH, _, marked, speaking


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed, and why; the others went on."""

    strategy: str
    replication: int
    seed: int
    error: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found. Seeds are shared by all strategies, so differences are taken seed by seed."""

    title: str
    baseline: str
    merchant: str
    metrics: tuple[str, ...]
    seeds: tuple[int, ...]
    values: Mapping[str, F64]  # by strategy: (metrics, seeds); NaN where undefined or not done
    done: Mapping[str, Bools]  # by strategy: (seeds,), which runs are finished
    digests: Mapping[str, tuple[str | None, ...]]  # by strategy: of each seed's ledger
    failures: tuple[Failure, ...]
    folder: Path  # where its files stand
    combined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by strategy: those that it combines
    expects: tuple[Expected, ...] = ()  # the claims of the expectation

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names, in the scenario's order."""
        return tuple(self.values)

    @property
    def complete(self) -> bool:
        """Whether every run is finished."""
        return all(done.all() for done in self.done.values())

    def per_seed(self, strategy: str, metric: str) -> F64:
        """A metric in every seed, shape (seeds,)."""
        row: F64 = self.values[strategy][self.metrics.index(metric)]
        return row

    def estimate(self, strategy: str, metric: str) -> Estimate:
        """Mean and 95 % interval over the finished runs."""
        return stats.estimate(self.per_seed(strategy, metric)[self.done[strategy]])

    def difference(self, strategy: str, metric: str) -> Difference:
        """Against the baseline, over the seeds that both have finished."""
        both = self.done[strategy] & self.done[self.baseline]
        values, baseline = self.per_seed(strategy, metric)[both], self.per_seed(self.baseline, metric)[both]
        return stats.difference(values, baseline, METRICS[metric].higher_is_better)

    def worlds(self, *strategies: str) -> int:
        """Seeds that all of these have finished, and the baseline."""
        return int(np.logical_and.reduce([self.done[name] for name in (*strategies, self.baseline)]).sum())

    def synergy(self, strategy: str, metric: str) -> Difference:
        """What a strategy that combines others earns beyond the sum of what those earn alone, seed by seed.

        The interaction contrast y(all) - y(baseline) - sum over parts of (y(part) - y(baseline)); an interval above 0
        says that the parts do more together.
        """
        names = (strategy, *self.combined[strategy], self.baseline)
        every = np.logical_and.reduce([self.done[name] for name in names])
        whole, *parts, base = (self.per_seed(name, metric)[every] for name in names)
        added = base + sum((part - base for part in parts), np.zeros(base.size))
        return stats.difference(whole, added, METRICS[metric].higher_is_better)

    @property
    def judged(self) -> tuple[Judged, ...]:
        """Each claim of the expectation, with what was found of it."""
        return tuple(judge(self, claim) for claim in self.expects)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: NaN is null."""
        others = [name for name in self.strategies if name != self.baseline]
        return {
            "wxsim": "comparison",
            "scenario": self.title,
            "baseline": self.baseline,
            "merchant": self.merchant,
            "seeds": list(self.seeds),
            "complete": self.complete,
            "strategies": {s: {m: self._estimate_dict(s, m) for m in self.metrics} for s in self.strategies},
            "differences": {s: {m: self._difference_dict(s, m) for m in self.metrics} for s in others},
            "synergy": {s: {m: self._synergy_dict(s, m) for m in self.metrics} for s in self.combined},
            "expects": [claim.model_dump(mode="json", by_alias=True, exclude_defaults=True) for claim in self.expects],
            "expected": self._claims(),
            "metrics": {name: METRICS[name].as_dict() for name in self.metrics},
            "digests": {s: list(found) for s, found in self.digests.items()},
            "failures": [
                {"strategy": f.strategy, "replication": f.replication, "seed": f.seed, "error": f.error}
                for f in self.failures
            ],
        }

    @classmethod
    def restore(cls, content: Mapping[str, Any], folder: Path) -> "Comparison":
        """The comparison that `as_dict` wrote. StudyError for a metric that is no more, KeyError for what lacks."""
        metrics, seeds = tuple(content["metrics"]), tuple(content["seeds"])
        if unknown := [name for name in metrics if name not in METRICS]:
            raise StudyError(
                _(
                    "{folder}: measures {unknown}, which this wxsim does not; compare again",
                    folder=folder,
                    unknown=", ".join(unknown),
                )
            )
        failures = tuple(Failure(**failure) for failure in content["failures"])
        failed = {(failure.strategy, failure.replication) for failure in failures}
        values, done = {}, {}
        for strategy, digests in content["digests"].items():
            rows = [content["strategies"][strategy][metric]["per_seed"] for metric in metrics]
            values[strategy] = np.array(rows, np.float64).reshape(len(metrics), len(seeds))
            there = [digest is not None and (strategy, at) not in failed for at, digest in enumerate(digests)]
            done[strategy] = np.array(there, np.bool_)
        return cls(
            title=content["scenario"],
            baseline=content["baseline"],
            merchant=content["merchant"],
            metrics=metrics,
            seeds=seeds,
            values=values,
            done=done,
            digests={strategy: tuple(digests) for strategy, digests in content["digests"].items()},
            failures=failures,
            folder=folder,
            combined={name: tuple(of[metrics[0]]["combines"]) for name, of in content.get("synergy", {}).items()},
            expects=tuple(Expected.model_validate(claim) for claim in content.get("expects", ())),
        )

    def _claims(self) -> list[dict[str, Any]]:
        with speaking(ENGLISH):
            return [claim.as_dict() for claim in self.judged]

    def _estimate_dict(self, strategy: str, metric: str) -> dict[str, Any]:
        return _numbers(self.estimate(strategy, metric), self.per_seed(strategy, metric))

    def _difference_dict(self, strategy: str, metric: str) -> dict[str, Any]:
        found = self.difference(strategy, metric)
        with np.errstate(invalid="ignore"):
            paired = self.per_seed(strategy, metric) - self.per_seed(self.baseline, metric)
        return {
            **_numbers(found.estimate, paired),
            "verdict": found.verdict,
            "variance_reduction": stats.finite(found.variance_reduction),
        }

    def _synergy_dict(self, strategy: str, metric: str) -> dict[str, Any]:
        found = self.synergy(strategy, metric)
        interval = [stats.finite(found.estimate.low), stats.finite(found.estimate.high)]
        return {
            "combines": list(self.combined[strategy]),
            "mean": stats.finite(found.estimate.mean),
            "ci95": None if None in interval else interval,
            "verdict": found.verdict,
        }


def heading(name: str, told: Callable[[str], str] = str) -> str:
    """A metric's title with its unit, unless that says the same; each as it is `told`."""
    metric = METRICS[name]
    title, unit = told(metric.title), told(metric.unit) if metric.unit else ""
    both = told(marked("{title}, {unit}")).format(title=title, unit=unit)
    return title if metric.unit.lower() in ("", metric.title.lower()) else both


def _numbers(found: Estimate, per_seed: F64) -> dict[str, Any]:
    interval = [stats.finite(found.low), stats.finite(found.high)]
    return {
        "mean": stats.finite(found.mean),
        "ci95": None if None in interval else interval,
        "per_seed": [stats.finite(value) for value in per_seed.tolist()],
    }
