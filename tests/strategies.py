"""Hypothesis strategies that several tests share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from sim.config.model import Scenario
from sim.study import swarm

T = TypeVar("T")


@dataclass(frozen=True)
class Drawn:
    """The swarm's choices made by hypothesis, which tries plain ones first and makes a failing case smaller."""

    draw: st.DrawFn

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def real(self, low: float, high: float) -> float:
        return self.draw(st.floats(low, high, allow_nan=False))

    def choice(self, options: Sequence[T]) -> T:
        return self.draw(st.sampled_from(options))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Any scenario that the swarm could make."""
    return swarm.scenario(Drawn(draw))
