"""A setting of the page: a scenario, what was changed of it, and how large it runs; as a file that `wxsim` reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sim.config import shipped, sources
from sim.config.load import load
from sim.config.model import Scenario
from sim.config.node import plain
from sim.errors import ScenarioError, StudyError
from sim.metrics.catalog import METRICS
from sim.web.levers import EVERYONE
from sim.words import _

PEOPLE, DAYS, SEEDS = 5_000, 21, 8  # to begin with, so that a first result comes in seconds
MOST = {"people": 20_000, "days": 365, "seeds": 64}
MOST_FOR_A_CLASS = {"people": 5_000, "days": 60, "seeds": 16}
FILE = "scenario.yaml"
Key = tuple[str, str]  # whose change, and the path


@dataclass(frozen=True, slots=True)
class Setting:
    """A scenario by its shipped name or its file, and what the page changed of it."""

    source: str
    people: int
    days: int
    seeds: int
    changes: Mapping[Key, Any] = field(default_factory=dict)
    off: frozenset[str] = frozenset()  # strategies that do not run

    def changed(self, key: Key, value: Any) -> "Setting":
        """With another value; None takes the change back."""
        rest = {name: kept for name, kept in self.changes.items() if name != key}
        return replace(self, changes=rest if value is None else {**rest, key: value})

    def sized(self, name: str, count: int) -> "Setting":
        """With so many `people`, `days` or `seeds`."""
        sizes = {"people": self.people, "days": self.days, "seeds": self.seeds, name: count}
        return replace(self, people=sizes["people"], days=sizes["days"], seeds=sizes["seeds"])

    def switched(self, strategy: str, on: bool) -> "Setting":
        """With a strategy on or off."""
        return replace(self, off=self.off - {strategy} if on else self.off | {strategy})


def begun(source: str, most: Mapping[str, int] = MOST) -> tuple[Setting, Scenario]:
    """A scenario as it is, but small. ScenarioError if it has faults, StudyError if it compares nothing."""
    scenario = load(source, metrics=tuple(METRICS))
    if scenario.compare is None or scenario.compare.baseline not in scenario.strategies:
        wrong = _("{source}: there is nothing to compare; it needs `strategies:` and `compare:`", source=source)
        raise StudyError(wrong)
    count = scenario.world.people.count
    people = count if fixed(scenario) else min(count, PEOPLE)
    if people > most["people"]:
        words = _(
            "{source}: its graph has {people} people, more than {most}",
            source=source,
            people=people,
            most=most["people"],
        )
        raise StudyError(words)
    seeds = min(scenario.compare.replications, SEEDS, most["seeds"])
    return Setting(source, people, min(scenario.horizon.days, DAYS, most["days"]), seeds), scenario


def fixed(scenario: Scenario) -> bool:
    """Whether the number of people is that of a graph that is given."""
    return scenario.world.graph.file is not None or scenario.world.graph.networkx is not None


def text(setting: Setting) -> str:
    """The scenario as a file: what was changed, on top of a shipped one; one of somebody's own is written out whole."""
    content = _sizes(setting)
    for (strategy, path), value in setting.changes.items():
        if strategy == EVERYONE:
            _set(content, path, value)
        else:
            content.setdefault("strategies", {}).setdefault(strategy, {})[path] = value
    if shipped.find(setting.source) and not sources.is_file(Path(setting.source)):
        return _written({"extends": setting.source, **content}, setting)
    tree, _ = sources.read(setting.source)
    whole = _laid(plain(tree) if tree is not None else {}, content)
    graph = load(setting.source).world.graph.file
    if graph is not None:
        _set(whole, "world.graph.file", graph)  # where it lies, wherever this file will
    return _written(whole, setting)


def made(setting: Setting, folder: Path) -> Scenario:
    """The scenario that the file says, with the strategies that are on. ScenarioError if something cannot stand."""
    path = folder / FILE
    path.write_text(text(setting), "utf-8")
    try:
        return without(load(path, metrics=tuple(METRICS)), setting.off)
    except ScenarioError as error:
        raise StudyError(
            "; ".join(f"{f.where}: {f.wrong}" + f", {f.instead}" * bool(f.instead) for f in error.faults)
        ) from None


def without(scenario: Scenario, off: frozenset[str]) -> Scenario:
    """The scenario without some strategies, and without what is claimed of them; never without its baseline."""
    asked = scenario.compare
    if asked is None or asked.baseline in off:
        raise StudyError(_("the baseline must run; the others are compared with it"))
    on = {name: each for name, each in scenario.strategies.items() if name not in off}
    synergy = {name: parts for name, parts in asked.synergy.items() if {name, *parts} <= on.keys()}
    claims = []
    for claim in scenario.expects:
        than = claim.than if isinstance(claim.than, tuple) else (claim.than,)
        if {claim.strategy, *than} <= on.keys():
            claims.append(claim)
    compare = asked.model_copy(update={"synergy": synergy})
    return scenario.model_copy(update={"strategies": on, "compare": compare, "expects": tuple(claims)})


def _sizes(setting: Setting) -> dict[str, Any]:
    return {
        "horizon": {"days": setting.days},
        "world": {"people": {"count": setting.people}},
        "compare": {"replications": setting.seeds},
    }


def _set(content: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        below = content.get(step)
        content[step] = content = below if isinstance(below, dict) else {}
    content[last] = value


def _laid(base: Any, over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merged, anything else replaced; as a file lies on what it extends."""
    out = dict(base) if isinstance(base, Mapping) else {}
    for key, value in over.items():
        out[key] = _laid(out.get(key), value) if isinstance(value, Mapping) else value
    return out


class _Dumper(yaml.SafeDumper):
    """Without anchors, which scenario files do not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(content: Mapping[str, Any], setting: Setting) -> str:
    head = ["# Written by `wxsim serve`. `wxsim lint FILE` checks it, `wxsim compare FILE` runs it."]
    head += [f"# Not run on the page: {json.dumps(name, ensure_ascii=False)}" for name in sorted(setting.off)]
    body = yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return "\n".join([*head, body])
