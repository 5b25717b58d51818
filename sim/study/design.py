"""A study: a scenario, its strategies, and the points of a design at which they run, read from a YAML file.

::

    title: How long should a gift wait?
    expectation: ...
    scenario: spring_festival_gifts        # a shipped one, or a file beside this one
    strategies: [no gifts, gifts]          # by default all
    set: {world.people.count: 2000}        # for every run
    axes:
      platform.rules.gift_deadline_hours: [6, 24, 72]
      willing: {path: "merchants.*.offers.gift_packet.acceptance_within_24h", from: 0.6, to: 0.9, steps: 4}
    seeds: 8
    metrics: [net_gmv, gift_acceptance]

Without `design` the points are the product of all axes. ``design: {latin_hypercube: 64}`` or ``{sobol: 64}`` samples
them (`scipy.stats.qmc`); ``blocks`` is a list of products, one after the other. ``axes: all assumed`` varies every
number that has no source, each from half to twice its value. ``sensitivity: {method: morris, size: 20, groups: true}``
is what `wxsim sensitivity` does with the axes.
"""

import json
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from sim.config import misfit, yaml
from sim.config.advice import did_you_mean
from sim.config.load import load
from sim.config.model import Part, Scenario
from sim.config.node import Node, nearest, plain
from sim.config.parameters import ASSUMED, Parameter, leads, parameters, patched
from sim.errors import Fault, ScenarioError, StudyError, reason
from sim.metrics.catalog import METRICS
from sim.study.compare import replication_seeds
from sim.units import F64
from sim.words import _

AS_IT_IS = "as it is"  # the name of a scenario without strategies
ALL_ASSUMED = "all assumed"
MOST_POINTS = 1_000_000
Value = float | int | bool | str | None


def _twice(values: Sequence[Any]) -> bool:
    """Whether a value stands there again; 1 and 1.0 are the same, 1 and true are not."""
    plain = [float(each) if type(each) is int else each for each in values]
    return len({json.dumps(each) for each in plain}) < len(plain)


class Axis(Part):
    """What is varied, and through which values."""

    path: str | tuple[str, ...] = Field("", description="the parameter, or several that move together")
    values: tuple[Any, ...] = Field((), description="the values, one after the other")
    low: float | None = Field(None, alias="from", description="the lower end of a range")
    high: float | None = Field(None, alias="to", description="the upper end")
    steps: int = Field(5, description="values of a range where all are combined", ge=2, le=10_000)
    scale: Literal["linear", "log"] = Field("linear", description="how a range is divided")

    @field_validator("path", "values", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _one_way(self) -> "Axis":
        ranged = self.model_fields_set & {"low", "high", "steps", "scale"}
        if self.values and ranged:
            names = {"low": "from", "high": "to"}
            raise ValueError(
                _(
                    "`values` are all there is; leave out {keys}",
                    keys=", ".join(sorted(names.get(n, n) for n in ranged)),
                )
            )
        if _twice(self.values):
            raise ValueError(_("names a value twice; the same point again is no more evidence"))
        if bool(self.values) == (self.low is not None and self.high is not None):
            raise ValueError(_("needs either `values`, or `from` and `to`"))
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(_("`from` must be below `to`"))
        if self.scale == "log" and (self.low is None or self.low <= 0):
            raise ValueError(_("a log scale begins above 0"))
        return self

    def at(self, share: float) -> Value:
        """The value at a share (0 to 1) of the way."""
        if self.values:
            found: Value = self.values[min(int(share * len(self.values)), len(self.values) - 1)]
            return found
        assert self.low is not None and self.high is not None
        if self.scale == "log":
            return float(f"{self.low * (self.high / self.low) ** share:.12g}")
        return float(f"{self.low + (self.high - self.low) * share:.12g}")

    def all(self) -> tuple[Value, ...]:
        """Every value of a product."""
        return self.values or tuple(self.at(step / (self.steps - 1)) for step in range(self.steps))


class Sampling(Part):
    """A sample of points instead of all of them."""

    latin_hypercube: int | None = Field(None, description="points of a Latin hypercube", ge=1, le=1_000_000)
    sobol: int | None = Field(None, description="points of a scrambled Sobol sequence", ge=1, le=1_000_000)
    seed: int = Field(1, description="the luck of the sample", ge=0)

    @model_validator(mode="after")
    def _one(self) -> "Sampling":
        if (self.latin_hypercube is None) == (self.sobol is None):
            raise ValueError(_("names either latin_hypercube or sobol"))
        return self


class Screening(Part):
    """How `wxsim sensitivity` takes the axes, unless it is told otherwise."""

    method: Literal["morris", "sobol"] = Field("morris", description="screening of many, or shares of variance of few")
    size: int | None = Field(None, description="trajectories, or rows of Saltelli's scheme", ge=2, le=1_000_000)
    groups: bool = Field(False, description="the parameters of one mechanism move together")


class StudyFile(Part):
    """What a study file says."""

    title: str = Field(description="the question", min_length=1)
    expectation: str = Field("", description="what to expect; written before running")
    scenario: str = Field(description="a shipped scenario, or a file")
    strategies: tuple[str, ...] = Field((), description="by default all of the scenario")
    set: Mapping[str, Any] = Field({}, description="values by path, for every run")
    axes: Mapping[str, Axis] | Literal["all assumed"] = Field({}, description="what is varied")
    blocks: tuple[Mapping[str, Any], ...] = Field((), description="products of axes, one after the other")
    design: Sampling | None = Field(None, description="a sample instead of the product")
    sensitivity: Screening = Field(Screening(), description="for `wxsim sensitivity`")
    seeds: int | tuple[int, ...] = Field(8, description="how many replications, or the seeds themselves")
    metrics: tuple[str, ...] = Field((), description="what is told; by default what the scenario compares")
    baseline: str | None = Field(None, description="the strategy that the others are compared with")

    @field_validator("axes", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A list alone is an axis of these values."""
        if not isinstance(value, Mapping):
            return value
        return {name: {"values": axis} if isinstance(axis, list | tuple) else axis for name, axis in value.items()}

    @field_validator("seeds")
    @classmethod
    def _some(cls, value: Any) -> Any:
        if value == () or (isinstance(value, int) and not 1 <= value <= 100_000):
            raise ValueError(_("needs 1 to 100000 seeds"))
        if isinstance(value, tuple) and len(set(value)) < len(value):
            raise ValueError(_("names a seed twice; the same run again is no more evidence"))
        return value


Point = Mapping[str, Value]  # by axis


@dataclass(frozen=True, slots=True)
class Study:
    """A study, checked: strategies as scenarios, and the points at which they run."""

    title: str
    expectation: str
    strategies: Mapping[str, Scenario]
    paths: Mapping[str, tuple[str, ...]]  # of each axis: the parameters that it moves
    points: tuple[Point, ...]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    merchant: str
    baseline: str
    advice: str = ""  # what could be asked better

    def at(self, strategy: str, point: Point) -> Scenario:
        """A strategy at a point. What an axis moves and the strategy has not is left out."""
        scenario = self.strategies[strategy]
        values = {path: value for axis, value in point.items() for path in self.paths[axis]}
        return patched(scenario, values, where_there=True)


Shares = Callable[[Mapping[str, Axis], StudyFile], F64]  # of the way along each axis, shape (points, axes)


def read(path: Path, shares: Shares | None = None) -> Study:
    """The study of a file. ScenarioError or StudyError with what is wrong and what to write instead.

    `shares` gives other points than the file's design does, from its axes and all that it says.
    """
    stated = _stated(path)
    scenario = _scenario(path, stated)
    with _in(path):
        strategies = _strategies(scenario, stated)
    axes = _assumed(strategies) if isinstance(stated.axes, str) else dict(stated.axes)
    with _in(path):
        paths = {name: _paths(name, axis, strategies) for name, axis in axes.items()}
    asked = scenario.compare
    metrics = stated.metrics or (asked.metrics if asked else ()) or ("net_gmv", "margin", "orders")
    for metric in metrics:
        if metric not in METRICS:
            raise StudyError(
                _(
                    "{path}: {metric!r} is not a metric; {advice}",
                    path=path,
                    metric=metric,
                    advice=did_you_mean(metric, METRICS),
                )
            )
    baseline = stated.baseline or (asked.baseline if asked and asked.baseline in strategies else next(iter(strategies)))
    if baseline not in strategies:
        raise StudyError(
            _(
                "{path}: the baseline {baseline!r} is not a strategy here; {advice}",
                path=path,
                baseline=baseline,
                advice=did_you_mean(baseline, strategies),
            )
        )
    study = Study(
        title=stated.title,
        expectation=stated.expectation,
        strategies=strategies,
        paths=paths,
        points=tuple(_points(path, axes, stated, strategies, shares)),
        seeds=stated.seeds if isinstance(stated.seeds, tuple) else replication_seeds(scenario.seed, stated.seeds),
        metrics=metrics,
        merchant=scenario.focal,
        baseline=baseline,
        advice="" if shares else _advice(path, stated),
    )
    _check_ends(path, study, axes)
    return study


@contextmanager
def _in(path: Path) -> Iterator[None]:
    """What is wrong inside names the study's file."""
    try:
        yield
    except StudyError as error:
        raise StudyError(_("{path}: {said}", path=path, said=error)) from None


def _advice(path: Path, stated: StudyFile) -> str:
    size = stated.design.sobol if stated.design else None
    if not size or size & (size - 1) == 0:
        return ""
    low = 1 << (size.bit_length() - 1)
    return _(
        "{path}: a Sobol sample is balanced where its size is a power of two; {low} or {high} instead of {size}",
        path=path,
        low=low,
        high=2 * low,
        size=size,
    )


def _stated(path: Path) -> StudyFile:
    try:
        tree, faults = yaml.compose(path.read_bytes(), str(path))
    except OSError as error:
        raise StudyError(_("{path}: {reason}; a study is a YAML file", path=path, reason=reason(error))) from None
    if tree is None or faults:
        raise ScenarioError(faults)
    try:
        return StudyFile.model_validate_json(json.dumps(plain(tree)), strict=True)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
        inside = [error for error in errors if not str(error["loc"][-1]).startswith("literal[")]
        raise ScenarioError([_fault(error, tree) for error in inside or errors]) from None


def _fault(error: Any, tree: Node) -> Fault:
    """What is wrong with a study file, and where."""
    steps = tuple(step for step in error["loc"] if not str(step).startswith(("dict[", "literal[", "function-")))
    node, rest = nearest(tree, steps)
    place = node.key if not rest else node.place
    if error["type"] == "extra_forbidden":
        return place.fault(_("is not a key of a study"), did_you_mean(str(steps[-1]), StudyFile.model_fields))
    said = misfit.said(error).removeprefix("value error, ")
    said = said[:1].lower() + said[1:]
    if not rest:
        return place.fault(said)
    return place.fault(_("{where}: {said}", where=".".join(str(step) for step in steps), said=said))


def _scenario(path: Path, stated: StudyFile) -> Scenario:
    beside = path.parent / stated.scenario
    return load(beside if beside.is_file() else stated.scenario)


def _strategies(scenario: Scenario, stated: StudyFile) -> dict[str, Scenario]:
    known = dict(scenario.strategies) or {AS_IT_IS: scenario}
    for name in stated.strategies:
        if name not in known:
            raise StudyError(
                _("{name!r} is not a strategy of the scenario; {advice}", name=name, advice=did_you_mean(name, known))
            )
    chosen = {name: known[name] for name in stated.strategies or known}
    for where in stated.set:
        if not any(leads(made, where) for made in chosen.values()):
            patched(next(iter(chosen.values())), {where: None})  # says what is wrong with the path
    return {name: patched(made, stated.set, where_there=True) for name, made in chosen.items()}


def _paths(name: str, axis: Axis, strategies: Mapping[str, Scenario]) -> tuple[str, ...]:
    """The parameters of an axis; StudyError if one leads nowhere in every strategy."""
    stated = (axis.path,) if isinstance(axis.path, str) else axis.path
    paths = tuple(path or name for path in stated)
    for path in paths:
        if not any(leads(made, path) for made in strategies.values()):
            patched([*strategies.values()][-1], {path: None})
    return paths


def _assumed(strategies: Mapping[str, Scenario]) -> dict[str, Axis]:
    """An axis for every number that has no source, once for all merchants that have it in common."""
    found: dict[str, list[Parameter]] = {}
    for made in strategies.values():
        for path, parameter in parameters(made).items():
            if parameter.source == ASSUMED and parameter.span and not path.startswith("world.people.count"):
                step = path.split(".")
                shared = step[0] == "merchants" and step[2] in ("channels", "offers", "operations")
                found.setdefault(".".join(["merchants", "*", *step[2:]]) if shared else path, []).append(parameter)
    out = {}
    for path, same in found.items():
        if path.split(".")[2:3] == ["products"]:
            continue  # goods are the merchant's, not the model's
        ends = same[0].span
        if ends and len({parameter.value for parameter in same}) == 1:
            out[path] = Axis.model_validate({"path": path, "from": ends[0], "to": ends[1]})
    return out


def _points(
    path: Path,
    axes: Mapping[str, Axis],
    stated: StudyFile,
    strategies: Mapping[str, Scenario],
    shares: Shares | None,
) -> Iterator[Point]:
    """The points of the design, rounded to whole numbers where a parameter is one."""
    integers = {
        tuple(where.split("."))
        for made in strategies.values()
        for where, parameter in parameters(made).items()
        if isinstance(parameter.value, int) and not isinstance(parameter.value, bool)
    }
    whole = {name for name, axis in axes.items() if not axis.values and _is_whole(name, axis, integers)}

    def rounded(point: Mapping[str, Any]) -> Point:
        return {name: round(value) if name in whole else value for name, value in point.items()}

    if stated.blocks and shares is None:
        for block in stated.blocks:
            for name in block:
                if name not in axes:
                    raise StudyError(
                        _(
                            "{path}: a block names {name!r}; {advice}",
                            path=path,
                            name=name,
                            advice=did_you_mean(name, axes),
                        )
                    )
            lists = {name: value if isinstance(value, list | tuple) else [value] for name, value in block.items()}
            for name, listed in lists.items():
                if _twice(listed):
                    raise StudyError(_("{path}: a block names a value of {name!r} twice", path=path, name=name))
            yield from (rounded(dict(zip(lists, values, strict=True))) for values in product(*lists.values()))
    elif stated.design is None and shares is None:
        count = prod(len(axis.all()) for axis in axes.values())
        if count > MOST_POINTS:
            raise StudyError(
                _(
                    "{path}: the axes combine to 10^{power} points; take a sample, design: {{sobol: 64}}, or use "
                    "`wxsim sensitivity`",
                    path=path,
                    power=len(str(count)) - 1,
                )
            )
        yield from (
            rounded(dict(zip(axes, values, strict=True))) for values in product(*(axis.all() for axis in axes.values()))
        )
    else:
        for row in (shares or _sample)(axes, stated):
            yield rounded({name: axis.at(float(share)) for (name, axis), share in zip(axes.items(), row, strict=True)})


def _is_whole(name: str, axis: Axis, integers: Collection[tuple[str, ...]]) -> bool:
    """Whether one of the parameters that an axis moves is a whole number."""
    paths = [path or name for path in ((axis.path,) if isinstance(axis.path, str) else axis.path)]
    return any(
        len(steps) == len(where) and all(a in (b, "*") for a, b in zip(steps, where, strict=True))
        for steps in (path.split(".") for path in paths)
        for where in integers
    )


def _sample(axes: Mapping[str, Axis], stated: StudyFile) -> F64:
    """Shares of the way along each axis, as the file's design says."""
    from scipy.stats import qmc  # takes a second to import

    width, design = len(axes), stated.design
    if width == 0 or design is None:
        return np.zeros((1, 0))
    scheme = qmc.LatinHypercube if design.sobol is None else qmc.Sobol
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The balance properties", UserWarning)  # `Study.advice` says it in a line
        drawn: F64 = scheme(width, rng=design.seed).random(design.latin_hypercube or design.sobol)
    return drawn


def _check_ends(path: Path, study: Study, axes: Mapping[str, Axis]) -> None:
    """Try every value, and both ends of every range, so that what is out of range is told before anything runs."""
    for name, axis in axes.items():
        stated = [point[name] for point in study.points if name in point]
        whole = all(isinstance(value, int) for value in stated)
        ends = [round(end) if whole else end for end in (axis.low, axis.high) if end is not None]
        for value in dict.fromkeys([*axis.values, *(ends or stated)]):
            for strategy in study.strategies:
                try:
                    study.at(strategy, {name: value})
                except StudyError as error:
                    raise StudyError(_("{path}: axis {name}: {error}", path=path, name=name, error=error)) from None
