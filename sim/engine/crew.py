"""The crew: the mechanisms of a run, made from the scenario in the catalogue's order."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sim import catalog
from sim.config.model import Scenario
from sim.contract import PER_MERCHANT, Mechanism
from sim.units import Array
from sim.world.state import CORE, Column
from sim.world.world import World


class Crew:
    """The mechanisms that are switched on, in canonical order, and who takes part in which phase."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self.mechanisms = tuple(_hire(scenario, world))
        self.kinds, self.clicks, self.feeds = catalog.kinds(), catalog.clicks(), catalog.feeds()
        self._hooks: dict[str, list[Callable[..., Any]]] = {}
        self._settling = {k: [m for m in self.mechanisms if k in m.settles] for k in self.kinds}

    def hooks(self, name: str) -> list[Callable[..., Any]]:
        """The methods of this name, in canonical order; looked up once, when the run has begun."""
        if name not in self._hooks:
            self._hooks[name] = [getattr(each, name) for each in self.mechanisms if hasattr(each, name)]
        return self._hooks[name]

    def settling(self, kind: str) -> list[Mechanism]:
        """Who settles a kind of request, in canonical order."""
        return self._settling[kind]

    def columns(self) -> tuple[Column, ...]:
        """Every column of state: the core ones and those that the mechanisms own."""
        return CORE + tuple(column for mechanism in self.mechanisms for column in mechanism.columns)

    def initial(self) -> dict[tuple[str, str], Array]:
        """Opening values of shared columns."""
        return {at: values for mechanism in self.mechanisms for at, values in mechanism.initial().items()}

    def find(self, key: str) -> Mechanism | None:
        """The mechanism with this catalogue key, if it is switched on."""
        return next((m for m in self.mechanisms if f"{m.folder}.{m.name}" == key), None)


def _hire(scenario: Scenario, world: World) -> Iterator[Mechanism]:
    for key, kind in catalog.mechanisms().items():
        folder, name = key.split(".")
        if folder in PER_MERCHANT:
            lone = [getattr(merchant, folder).get(name) for merchant in scenario.merchants.values()]
            if any(params is not None for params in lone):
                on = np.tile(np.array([params is not None for params in lone]), world.count)
                yield kind(lone * world.count, on, world)
        else:
            params = getattr(scenario, folder).get(name)
            if params is not None:
                yield kind(params, np.ones(world.m, np.bool_), world)
