"""Audiences: who of her friends, or of the members of one of her groups, comes across what a person passes on.

Chances factor into sender, tie and receiver, so that fan-out can skip at a power of two above the highest and thin.
Every draw is addressed by what is passed on and the receiver's local number.
"""

import numpy as np

from sim import draws
from sim.kernels import expand
from sim.units import F64, I64, U64, Array, Bools
from sim.world.world import World


def friends(world: World, user: Array, event: U64, reach: F64, scrolled: Bools, name: str) -> tuple[I64, Array]:
    """Friends who get what each user passes on: (place in `user`, friend), ordered by place.

    `reach` (n, layers) is the chance by Dunbar layer; where `scrolled` (n,), as in Moments, it falls with the friend's
    activity below 1. Draws are named after `name`.
    """
    graph, halvings = world.graph, expand.bound(reach.max(axis=1, initial=0.0))
    owner, tie = expand.fan_out(graph.indptr, user, event, halvings, f"{name}_skip")
    friend = graph.indices[tie]
    scrolls = np.minimum(world.people["activity"][friend].astype(np.float64), 1.0)
    chance = np.ldexp(reach[owner, graph.layers(user[owner], tie)], halvings[owner])
    chance *= np.where(scrolled[owner], scrolls, 1.0)
    kept = draws.chance(f"{name}_thin", event[owner], chance, world.local_user(friend))
    return owner[kept], friend[kept]


def members(world: World, user: Array, event: U64, reach: F64, name: str) -> tuple[I64, Array]:
    """Others who notice, with the chance `reach` (n,), what each user says in one of her groups, drawn evenly.

    Returns (place in `user`, member), ordered by place; who sits in no group reaches nobody.
    """
    first = world.groups.indptr[user]
    count = world.groups.indptr[user + 1] - first
    at = (count > 0).nonzero()[0]
    group = world.groups.indices[first[at] + draws.below(f"{name}_group", event[at], count[at])]
    owner, member = expand.neighbours(world.members.indptr, world.members.indices, group)
    owner = at[owner]
    notices = draws.chance(f"{name}_member", event[owner], reach[owner], world.local_user(member))
    notices &= member != user[owner]
    return owner[notices], member[notices]
