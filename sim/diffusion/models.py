"""The three classic models of diffusion, many replications at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np

from sim import draws, fast
from sim.diffusion import arrays, rules
from sim.diffusion.cascades import Cascades, Reached, gathered
from sim.diffusion.network import Network, network
from sim.diffusion.rules import Chances, Needs
from sim.units import I64, U64
from sim.words import _

Record = Literal["reach", "times", "tree"]
_RECORDS: tuple[Record, ...] = ("reach", "times", "tree")
_FOREVER = 2**31 - 1


def independent_cascade(
    graph: Any,
    seeds: Any,
    p: Any = None,
    *,
    replications: int = 1,
    seed: int = 0,
    coins: bool = False,
    record: Record = "reach",
    steps: int | None = None,
    threads: int = 1,
) -> Cascades:
    """Whoever is newly reached tells each neighbour once, and succeeds with the probability of the tie.

    `graph`: a Network, or what `network` takes. `seeds`: nodes, or a list of lists of nodes, one per replication.
    `p`: one probability; `Factored`; or None if the network's weights are the probabilities. Unsuccessful ties cost
    nothing: the gap to the next success in a row is geometric, at a bound that the ties of the row fall under, and
    a second draw thins (Devroye 1986, VI.2 and X.2). In one replication the ties that would succeed are the same
    whatever the seeds are, so more seeds reach more. With `coins` each tie has its own draw, addressed by its ends:
    slower, but then also a larger probability reaches all that a smaller one does, node by node.

    `record`: "reach" keeps counts, "times" also who was reached and when, "tree" also through whom: of those who
    succeed in the same step, one at random. `steps`: stop after so many. `threads` share the replications.
    Source: Kempe, Kleinberg, Tardos 2003 (Maximizing the spread of influence, KDD), section 2.
    """
    net = network(graph)
    return _replicate(net, rules.chances(net, p, coins), seeds, replications, seed, record, steps, threads)


def linear_threshold(
    graph: Any,
    seeds: Any,
    *,
    replications: int = 1,
    seed: int = 0,
    record: Record = "reach",
    steps: int | None = None,
    threads: int = 1,
) -> Cascades:
    """A node is reached once the influence of its reached neighbours adds up to its threshold, uniform on (0, 1).

    Influences are the network's weights, which must not add up to more than 1 over the ties that lead to a node;
    without weights, 1 / in-degree. They are taken in units of 2**-52. More seeds, or larger influences, reach all
    that fewer or smaller ones do, replication by replication. Other arguments as in `independent_cascade`.
    Source: Kempe, Kleinberg, Tardos 2003, section 2, after Granovetter 1978.
    """
    net = network(graph)
    return _replicate(net, rules.linear(net), seeds, replications, seed, record, steps, threads)


def complex_contagion(
    graph: Any,
    seeds: Any,
    response: Sequence[float] | float,
    *,
    replications: int = 1,
    seed: int = 0,
    record: Record = "reach",
    steps: int | None = None,
    threads: int = 1,
) -> Cascades:
    """Each reached neighbour is an exposure; at the k-th, who is not reached yet is with probability response[k - 1].

    The last entry goes on for all further exposures. (p,) is the independent cascade with one p; (0, 0, 1) needs
    three neighbours (Centola, Macy 2007: complex contagions and the weakness of long ties); a rise and fall is the
    exposure curve of Romero, Meeder, Kleinberg 2011; `saturating` only falls (the decreasing cascade of Kempe,
    Kleinberg, Tardos 2005). How many exposures a node needs is one draw, so more seeds, or a response that is larger
    somewhere and nowhere smaller, reach all that fewer or a smaller one do, replication by replication.
    Other arguments as in `independent_cascade`.
    """
    net = network(graph)
    return _replicate(net, rules.exposures(net, response), seeds, replications, seed, record, steps, threads)


def saturating(p: float, decay: float) -> tuple[float, ...]:
    """The response p · decay**(k - 1) at the k-th exposure, down to a millionth of p, then 0; decay in [0, 1)."""
    if not (0 <= p <= 1 and 0 <= decay < 1):
        raise ValueError(_("p must lie in 0 to 1, decay in 0 to 1, without 1"))
    out, part = [], 1.0
    while part > 1e-6:
        out.append(p * part)
        part *= decay
    return (*out, 0.0)


def _replicate(
    net: Network,
    rule: Chances | Needs,
    seeds: Any,
    replications: int,
    seed: int,
    record: Record,
    steps: int | None,
    threads: int,
) -> Cascades:
    """All replications, in `threads` parts."""
    if record not in _RECORDS:
        raise ValueError(_("record must be one of {known}, not {record!r}", known=", ".join(_RECORDS), record=record))
    sets = _seed_sets(net, seeds, replications)
    keys = draws.keys(seed, "diffusion", replications)
    limit = _FOREVER if steps is None else steps

    def part(which: slice) -> list[Reached]:
        return _spread(net, rule, sets[which], keys[which], record, limit)

    cuts = np.linspace(0, replications, min(threads, max(replications, 1)) + 1).astype(int).tolist()
    parts = [slice(*ends) for ends in zip(cuts[:-1], cuts[1:], strict=True)]
    if len(parts) == 1:
        return gathered(net.n, part(parts[0]), net.labels)
    with ThreadPoolExecutor(len(parts)) as pool:
        return gathered(net.n, [one for some in pool.map(part, parts) for one in some], net.labels)


def _spread(
    net: Network, rule: Chances | Needs, seeds: list[I64], keys: U64, record: Record, steps: int
) -> list[Reached]:
    """Replications one after the other, compiled; or several side by side with numpy, as many as cache holds."""
    if fast.on(net.m * keys.size):
        from sim.fast import diffusion as twin

        return list(twin.spread(net, rule, seeds, keys, record, steps))
    size = max(1, arrays.BESIDE // max(net.n, 1))
    groups = [slice(at, at + size) for at in range(0, keys.size, size)]
    return [one for at in groups for one in arrays.spread(net, rule, seeds[at], keys[at], record, steps)]


def _seed_sets(net: Network, seeds: Any, replications: int) -> list[I64]:
    """The seeds of each replication."""
    given = list(seeds)
    if given and isinstance(given[0], list | set | np.ndarray):
        if len(given) != replications:
            raise ValueError(
                _(
                    "there are {count} sets of seeds for {replications} replications",
                    count=len(given),
                    replications=replications,
                )
            )
        return [net.numbers(each) for each in given]
    return [net.numbers(given)] * replications
