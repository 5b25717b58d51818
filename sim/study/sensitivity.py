"""Which parameters decide: the axes of a study sampled by Morris's or Saltelli's scheme, run as any sweep, and judged.

What is judged is a metric, or what a strategy changes of it against the baseline in the same worlds. The points go
through the plan and the store of `sim.study.sweep`: what was run before is not run again, a larger size adds points to
those that are there, and a killed analysis goes on where it stopped. `explore` asks any function of points, so that a
formula with known indices can take the place of the simulation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sim.errors import StudyError
from sim.metrics.catalog import METRICS
from sim.study import indices
from sim.study.compare import replication_seeds
from sim.study.design import Axis, Point, Study, StudyFile, read
from sim.study.indices import Index, Parts
from sim.study.stats import Estimate, estimate
from sim.study.store import Store
from sim.study.sweep import Result, grid, sweep
from sim.units import F64, I64
from sim.words import _

LEVELS = 4  # of Morris's grid


Method = Literal["morris", "sobol"]
SIZES: Mapping[Method, int] = {"morris": 10, "sobol": 64}  # trajectories, rows; by default


@dataclass(frozen=True, slots=True)
class Output:
    """What is judged: a metric under a strategy, or (with a baseline) what the strategy changes of it."""

    metric: str
    strategy: str
    baseline: str = ""

    @property
    def text(self) -> str:
        """In words."""
        if not self.baseline:
            return f"{self.metric}, {self.strategy}"
        return _(
            "{metric}, {strategy} less {baseline}", metric=self.metric, strategy=self.strategy, baseline=self.baseline
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """The points of a scheme as shares of the way along each axis, in blocks that stand or fall together."""

    method: Method
    factors: tuple[str, ...]  # an axis each, or a mechanism of which all axes move together
    shares: F64  # (blocks, points of a block, axes)
    moved: I64  # (blocks, factors): which factor the next point of the block moves


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one output."""

    output: Output
    factors: tuple[str, ...]
    indices: tuple[tuple[Index, Index], ...]  # of each factor: effect and spread, or first and total
    parts: Parts
    middle: Estimate  # over the points, of the mean over seeds
    above: float  # the share of points at which that is above 0
    blocks: int  # that were judged
    dropped: int  # in which a run failed, or had nothing to measure
    seeds: int
    still: bool  # whether all runs gave the same value

    @property
    def ranked(self) -> list[tuple[str, tuple[Index, Index]]]:
        """Factors with their indices, by effect or total, the largest first."""
        order = indices.ranked(self.indices, _MAIN[self.indices[0][0].kind])
        return [(self.factors[at], self.indices[at]) for at in order]

    @property
    def deciding(self) -> list[tuple[str, Index]]:
        """Factors that move the output more than luck does, by effect or total, the largest first."""
        main = [(name, next(index for index in both if index.kind in _MAIN.values())) for name, both in self.ranked]
        return [(name, index) for name, index in main if index.matters]


_MAIN = {"effect": "effect", "first": "total"}  # the index that ranks, by the first of the two
Model = Callable[[Sequence[Point]], Mapping[Output, F64]]  # values of shape (points, seeds); NaN: nothing to measure


def sample(method: Method, axes: Mapping[str, str], size: int, seed: int = 1) -> Sample:
    """SALib's scheme for these axes (each with the factor that it belongs to); a larger size begins with a smaller one.

    `size` is Morris's number of trajectories, or the rows of Saltelli's A and B, a power of two.
    """
    if not axes:
        raise StudyError(_("nothing to vary; the study needs `axes:`"))
    if size < 2 or (method == "sobol" and size & (size - 1)):
        more = _("use a power of two") if method == "sobol" else _("use 2 or more")
        raise StudyError(_("--size {size}: {instead}", size=size, instead=more))
    try:
        from SALib.sample import morris
        from SALib.sample import sobol as saltelli
    except ImportError:
        raise StudyError(_("sensitivity needs SALib; install it with `pip install 'wxsim[study]'`")) from None
    names, width = tuple(dict.fromkeys(axes.values())), len(axes)
    groups = list(axes.values()) if len(names) < width else None
    problem = {"num_vars": width, "names": list(axes), "bounds": [[0.0, 1.0]] * width, "groups": groups}
    if method == "morris":
        seeds = [number % 2**32 for number in replication_seeds(seed, size)]
        drawn = np.stack([morris.sample(dict(problem), 1, num_levels=LEVELS, seed=each) for each in seeds])
    else:
        drawn = saltelli.sample(dict(problem), size, calc_second_order=False, seed=seed).reshape(size, -1, width)
    before = drawn[:, :-1] if method == "morris" else drawn[:, :1]
    changed = drawn[:, 1 : len(names) + 1] != before
    moved = np.array([[names.index(axes[list(axes)[np.argmax(step)]]) for step in block] for block in changed])
    return Sample(method, names, drawn, moved)


def explore(sampled: Sample, points: Sequence[Point], model: Model) -> tuple[Finding, ...]:
    """Ask the model at every point of a sample, and judge each of its outputs."""
    return tuple(judge(sampled, output, values) for output, values in model(points).items())


def judge(sampled: Sample, output: Output, values: F64) -> Finding:
    """The indices of one output, its values of shape (points, seeds) in the order of the sample."""
    blocks, height = sampled.shares.shape[:2]
    whole = values.reshape(blocks, height, -1)
    kept = np.asarray(np.isfinite(whole).all(axis=(1, 2)))
    if kept.sum() < 2:
        raise StudyError(
            _(
                "{text}: is measured in all runs of {runs} of {blocks} blocks of points; name another metric with "
                "--metric, or larger worlds",
                text=output.text,
                runs=int(kept.sum()),
                blocks=blocks,
            )
        )
    found = _elementary if sampled.method == "morris" else _sobol
    judged, flat = whole[kept], whole[kept].reshape(-1, whole.shape[2])
    means = flat.mean(axis=1)
    return Finding(
        output=output,
        factors=sampled.factors,
        indices=tuple(found(replace(sampled, shares=sampled.shares[kept], moved=sampled.moved[kept]), judged)),
        parts=indices.parts(flat),
        middle=estimate(means),
        above=float((means > 0.0).mean()),
        blocks=int(kept.sum()),
        dropped=int((~kept).sum()),
        seeds=whole.shape[2],
        still=bool((flat == flat[0, 0]).all()),
    )


def sensitivity(
    study: Study, sampled: Sample, out: Path, store: Store, *, levels: bool = False, **running: Any
) -> tuple[Result, tuple[Finding, ...]]:
    """Run what is missing of a sampled study (its table goes to `out`), and judge it.

    Judged is what each strategy changes against the baseline; with `levels`, or if there is but one strategy, the
    metrics themselves. `running` is what `sweep` takes.
    """
    results: list[Result] = []

    def model(points: Sequence[Point]) -> Mapping[Output, F64]:
        results.append(sweep(study, out, store, **running))
        return outputs(results[0], levels)

    try:
        found = explore(sampled, study.points, model)
    except StudyError as error:
        if not results or not results[0].failed:
            raise
        failed = results[0].failed
        first = next(iter(failed.values()))[0]
        raise StudyError(
            _("{error}; {count} runs failed, the first one by: {first}", error=error, count=len(failed), first=first)
        ) from None
    return results[0], found


def prepared(
    file: Path,
    method: Method | None = None,
    *,
    size: int | None = None,
    groups: bool = False,
    metrics: Sequence[str] = (),
) -> tuple[Study, Sample]:
    """The study of a file with the points of a scheme in place of its own, and the scheme.

    What is not given is as the file's `sensitivity` says; the seed, and a number of rows, as its `design`.
    """
    made: list[Sample] = []

    def shares(axes: Mapping[str, Axis], stated: StudyFile) -> F64:
        said, design = stated.sensitivity, stated.design
        scheme = method or said.method
        own = said.size if scheme == said.method else None
        rows = design.sobol if design and scheme == "sobol" else None
        grouped = groups or said.groups
        factors = {name: mechanism(axis.path or name) if grouped else name for name, axis in axes.items()}
        made.append(sample(scheme, factors, size or own or rows or SIZES[scheme], design.seed if design else 1))
        return made[0].shares.reshape(-1, len(axes))

    study = read(file, shares)
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise StudyError(_("--metric {unknown}: is not a metric; `wxsim metrics` lists them", unknown=unknown[0]))
    return replace(study, metrics=tuple(metrics) or study.metrics), made[0]


def mechanism(path: str | Sequence[str]) -> str:
    """The mechanism that a parameter belongs to: `people.gift`, `merchants.*.channels.store`."""
    steps = (path if isinstance(path, str) else path[0]).split(".")
    return ".".join(steps[: 4 if steps[0] == "merchants" else 2])


def outputs(result: Result, levels: bool) -> dict[Output, F64]:
    """The values of each output in a sweep, (points, seeds); NaN where a run is missing or has nothing to measure."""
    study = result.plan.study
    found = grid(result.rows, study.strategies, study.metrics, (len(study.points), len(study.seeds)))
    every = [(metric, name) for metric in study.metrics for name in study.strategies]
    if levels or len(study.strategies) == 1:
        return {Output(metric, name): found[name, metric] for metric, name in every}
    return {
        Output(metric, name, study.baseline): found[name, metric] - found[study.baseline, metric]
        for metric, name in every
        if name != study.baseline
    }


def _elementary(sampled: Sample, values: F64) -> list[tuple[Index, Index]]:
    """Changes over the whole range, by factor; of several axes together without a sign, as each moves its own way."""
    steps = np.diff(sampled.shares, axis=1)
    largest = np.take_along_axis(steps, np.abs(steps).argmax(axis=2)[..., None], axis=2)
    effects = np.zeros((len(values), len(sampled.factors), values.shape[2]))
    rows = np.arange(len(values))[:, None]
    effects[rows, sampled.moved] = np.diff(values, axis=1) / largest
    return indices.elementary(effects)


def _sobol(sampled: Sample, values: F64) -> list[tuple[Index, Index]]:
    ab = np.zeros((len(values), len(sampled.factors), values.shape[2]))
    ab[np.arange(len(values))[:, None], sampled.moved] = values[:, 1:-1]
    return indices.sobol(values[:, 0], values[:, -1], ab)
