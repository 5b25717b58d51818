"""Chat groups of friends: each is begun by somebody who brings in friends and friends' friends.

Sizes are lognormal with a cap of 500 (facts: private_domain.group_cap); how many groups a person is in, and the
size of groups, are assumed.
"""

import numpy as np

from sim import draws
from sim.units import I64, U64
from sim.world.graph import SocialGraph
from sim.world.params import GroupParams
from sim.world.tables import lognormal_table

_FRIENDS = 0.6  # share of invited who are the founder's own friends; the rest are friends of a friend (assumed)
_SPARE = 1.5  # invitations per seat: some are to people who are in already


def groups_of(seed: int, graph: SocialGraph, params: GroupParams) -> tuple[SocialGraph, SocialGraph]:
    """The groups of each user and the members of each group, both ascending."""
    count = max(1, round(graph.rows * params.per_person / params.size)) if params.per_person > 0 else 0
    keys = draws.keys(seed, "chat", count)
    table = lognormal_table(params.size_spread, params.size)
    size = np.floor(draws.quantile(table, "world.groups/size", keys) + draws.uniform("world.groups/round", keys))
    size = np.clip(size, 2, min(params.cap, graph.rows)).astype(np.int64)
    group, user = _members(graph, keys, size)
    members = SocialGraph.bipartite(count, graph.rows, group, user)
    return SocialGraph.bipartite(graph.rows, count, user, group), members


def _members(graph: SocialGraph, keys: U64, size: I64) -> tuple[I64, I64]:
    """Pairs (group, user), each once, at most `size` per group, ordered by group and user."""
    founder = draws.below("world.groups/founder", keys, graph.rows)
    invited = np.floor((size - 1) * _SPARE).astype(np.int64)
    group = np.repeat(np.arange(size.size), invited)
    call = np.arange(group.size) - np.repeat(np.cumsum(invited) - invited, invited)
    friend = _some_friend(graph, founder[group], draws.uniform("world.groups/friend", keys[group], call))
    further = _some_friend(graph, friend, draws.uniform("world.groups/further", keys[group], call))
    own = draws.chance("world.groups/own", keys[group], _FRIENDS, call)
    user = np.where(own, friend, further)
    group = np.concatenate([np.arange(size.size), group])
    user = np.concatenate([founder, user])
    call = np.concatenate([np.zeros(size.size, np.int64), call + 1])
    return _seated(group, user, call, size, graph.rows)


def _some_friend(graph: SocialGraph, user: I64, luck: np.ndarray) -> I64:
    """One of the user's friends, each as likely; the user herself if she has none."""
    start, degree = graph.indptr[user], graph.degree[user]
    if not graph.indices.size:
        return user
    entry = np.minimum(start + (luck * degree).astype(np.int64), graph.indices.size - 1)
    return np.where(degree > 0, graph.indices[entry].astype(np.int64), user)


def _seated(group: I64, user: I64, call: I64, size: I64, n: int) -> tuple[I64, I64]:
    """The first `size` different people called in each group."""
    pair = group * n + user
    order = np.lexsort((call, pair))
    first = np.ones(order.size, np.bool_)
    first[1:] = pair[order][1:] != pair[order][:-1]
    once = order[first]
    once = once[np.lexsort((call[once], group[once]))]
    per_group = np.bincount(group[once], minlength=size.size)
    seat = np.arange(once.size) - np.repeat(np.cumsum(per_group) - per_group, per_group)
    kept = once[seat < size[group[once]]]
    kept = kept[np.argsort(pair[kept])]
    return group[kept], user[kept]
