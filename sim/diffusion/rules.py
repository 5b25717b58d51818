"""The rules of spreading as numbers, checked: what both ways of computing, numpy and compiled, start from."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sim.diffusion.gaps import Gaps, gaps, levels
from sim.diffusion.network import Factored, Network
from sim.units import F64, I64, U64, Array
from sim.words import _

NODE, SKIP, COIN, NEED = (f"diffusion/{name}" for name in ("node", "skip", "coin", "need"))

Form = Literal["number", "weight", "factored"]


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """Independent cascade: the probability q of the tie at place j of u's row, and a bound from j to its end.

    number: q = p. weight: q = weight[j], the bound too, as rows are ordered by weight. factored: q = sender[u] ·
    levels[layer[j]] · receiver[v], and the bound is the product without receiver.
    With `coins` every tie has a draw of its own.
    """

    form: Form
    coins: bool = False
    p: float = 0.0
    weight: F64 = field(default_factory=lambda: np.zeros(0))
    layer: Array = field(default_factory=lambda: np.zeros(0, np.uint8))
    levels: F64 = field(default_factory=lambda: np.zeros(0))
    sender: F64 = field(default_factory=lambda: np.zeros(0))
    receiver: F64 = field(default_factory=lambda: np.zeros(0))

    def tables(self) -> Gaps:
        """How far it is to the next success: at p, or at a bound from which a second draw thins."""
        return gaps(np.array([self.p])) if self.form == "number" else levels()


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """Threshold models: a node is reached once the parts of its reached neighbours add up to what it needs.

    All are integers, so the order of adding changes nothing. `part` (m,) per tie, or empty if each counts 1.
    """

    table: F64  # complex contagion: chance to be reached by at most 1, 2, ... exposures; empty for linear threshold
    part: I64
    in_degree: I64

    def of(self, word: U64, node: I64) -> I64:
        """What nodes need, from 64 random bits of each, at least 1."""
        if self.table.size:
            return 1 + np.searchsorted(self.table, uniform(word))
        if self.part.size:
            return (word >> np.uint64(64 - WHOLE)).astype(np.int64) + 1
        return 1 + (uniform(word) * self.in_degree[node]).astype(np.int64)


WHOLE = 52  # bits of an influence of 1


def uniform(word: U64) -> F64:
    """64 random bits as numbers in (0, 1), as `sim.draws.uniform` does it."""
    out: F64 = (word >> np.uint64(11)).astype(np.float64)
    out += 0.5
    out *= 2.0**-53
    return out


def chances(net: Network, p: Any, coins: bool) -> Chances:
    """The rule of an independent cascade, or ValueError."""
    if isinstance(p, Factored):
        return _factored(net, p, coins)
    if p is None:
        if net.weight is None:
            raise ValueError(_("give p, or a network whose ties have a weight: network(graph, weight=...)"))
        if net.heaviest > 1:
            raise ValueError(_("weights that are probabilities must lie in 0 to 1"))
        return Chances("weight", coins, weight=net.weight)
    if np.ndim(p):
        raise ValueError(_("p is one number; a number per tie belongs to the network: network(graph, weight=...)"))
    if not 0 <= p <= 1:
        raise ValueError(_("p must lie in 0 to 1"))
    return Chances("number", coins, float(p))


def _factored(net: Network, p: Factored, coins: bool) -> Chances:
    sender, receiver = (np.full(net.n, x) if np.size(x) == 1 else np.asarray(x) for x in (p.sender, p.receiver))
    if not sender.shape == receiver.shape == (net.n,):
        raise ValueError(
            _("sender and receiver must have one factor for each of the {n} nodes, or one for all", n=net.n)
        )
    levels, layer = np.asarray(p.levels), np.zeros(0, np.uint8) if net.layer is None else net.layer
    if layer.size and int(layer.max()) >= levels.size:
        raise ValueError(
            _("the network has layer {layer}; there are {count} levels", layer=int(layer.max()), count=levels.size)
        )
    return Chances("factored", coins, 0.0, np.zeros(0), layer, levels, sender, receiver)


def linear(net: Network) -> Needs:
    """The rule of the linear threshold model, or ValueError."""
    none = np.zeros(0)
    if net.weight is None:
        return Needs(none, np.zeros(0, np.int64), net.in_degree())
    if np.bincount(net.indices, net.weight, minlength=net.n).max(initial=0.0) > 1 + 1e-9:
        raise ValueError(_("the weights of the ties that lead to a node must not add up to more than 1"))
    part = np.rint(np.ldexp(net.weight, WHOLE)).astype(np.int64)
    return Needs(none, part, net.in_degree())


def exposures(net: Network, response: Any) -> Needs:
    """The rule of complex contagion, or ValueError. `response`: chance at each exposure; the last goes on."""
    chance, degree = np.atleast_1d(np.asarray(response, np.float64)), net.in_degree()
    if chance.ndim != 1 or not chance.size:
        raise ValueError(_("response must be a row of probabilities, one per exposure"))
    if not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError(_("response must lie in 0 to 1"))
    longest = max(int(degree.max(initial=1)), 1)
    each = chance[np.minimum(np.arange(longest), chance.size - 1)]
    return Needs(1.0 - np.multiply.accumulate(1.0 - each), np.zeros(0, np.int64), degree)
