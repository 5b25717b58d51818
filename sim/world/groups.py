"""Chat groups of friends: each is begun by somebody who brings in friends and friends' friends.

Sizes are lognormal with a cap of 500 (facts: private_domain.group_cap); how many groups a person is in, and the
size of groups, are assumed. Whoever has more friends begins more groups.
"""

import numpy as np

from sim import draws, fast
from sim.kernels.threads import blocks, in_order
from sim.units import F64, I32, I64, U64, Array
from sim.world.graph import Growing, SocialGraph
from sim.world.packing import field, pack, width
from sim.world.params import GroupParams
from sim.world.tables import lognormal_table

_FRIENDS = 0.5  # share of those invited who are the founder's own friends; the rest are friends of a friend (assumed)
_SPARE = 2  # invitations per seat: some are to people who are in already
_BLOCK = 4_096  # groups filled together


def groups_of(seed: int, graph: SocialGraph, params: GroupParams) -> tuple[SocialGraph, SocialGraph]:
    """The groups of each user, and the members of each group; both ascending."""
    count = round(graph.rows * params.per_person / params.size)
    keys = draws.keys(seed, "chat", count)
    size = _sizes(keys, params, graph.rows)
    members = Growing(count, int(size.sum()))
    for seats, users in in_order(lambda cut: _members(graph, keys[cut], size[cut]), blocks(count, _BLOCK)):
        members.add(seats, users)
    found = members.graph()
    return found.inverse(graph.rows), found


def _sizes(keys: U64, params: GroupParams, n: int) -> I64:
    """How many people each group holds, its founder included."""
    table = lognormal_table(params.size_spread, params.size)
    wanted = draws.quantile(table, "world.groups/size", keys) + draws.uniform("world.groups/round", keys)
    return np.clip(wanted.astype(np.int64), 2, min(params.cap, n))


def _members(graph: SocialGraph, keys: U64, size: I64) -> tuple[I64, I32]:
    """How many are in each group of these keys, at most `size`, and who."""
    founder = _founders(graph, keys)
    if fast.on() and graph.indices.size:
        from sim.fast import world as twin

        purposes = (draws.purpose(f"world.groups/{what}") for what in ("own", "friend", "further"))
        return twin.members(graph.indptr, graph.indices, keys, founder, size, _SPARE, _FRIENDS, *purposes)
    invited = (size - 1) * _SPARE
    group = np.repeat(np.arange(size.size), invited)
    call = np.arange(group.size) - np.repeat(np.cumsum(invited) - invited, invited)
    friend = _some_friend(graph, founder[group], draws.uniform("world.groups/friend", keys[group], call))
    further = _some_friend(graph, friend, draws.uniform("world.groups/further", keys[group], call))
    guest = np.where(draws.chance("world.groups/own", keys[group], _FRIENDS, call), friend, further)
    group = np.concatenate([np.arange(size.size), group])
    call = np.concatenate([np.zeros(size.size, np.int64), call + 1])
    return _seated(group, np.concatenate([founder, guest]), call, size, graph.rows)


def _founders(graph: SocialGraph, keys: U64) -> I64:
    """Who begins each group: one end of a tie, each tie as likely; anybody where nobody knows anybody."""
    if not graph.indices.size:
        return draws.below("world.groups/founder", keys, graph.rows)
    entry = draws.uniform("world.groups/founder", keys) * graph.indices.size
    return graph.indices[entry.astype(np.int64)].astype(np.int64)


def _some_friend(graph: SocialGraph, user: I64, luck: F64) -> I64:
    """One of the user's friends, each as likely; the user herself if she has none."""
    if not graph.indices.size:
        return user
    start, end = graph.indptr[user], graph.indptr[user + 1]
    entry = np.minimum(start + (luck * (end - start)).astype(np.int64), graph.indices.size - 1)
    return np.where(end > start, graph.indices[entry].astype(np.int64), user)


def _seated(group: Array, user: Array, call: Array, size: I64, n: int) -> tuple[I64, I32]:
    """The first `size` different people called to each group: how many, and who, ordered by (group, user)."""
    across, calls = width(n), width(int(call.max(initial=0)) + 1)
    packed = pack(group, user, across, call, calls)
    packed.sort()
    pair = packed >> np.uint64(calls)
    packed = packed[np.concatenate([[True], pair[1:] != pair[:-1]])]
    group = field(packed, across + calls, width(size.size)).astype(np.int64)
    different = np.bincount(group, minlength=size.size)
    in_order = np.argsort((group << calls) | field(packed, 0, calls).astype(np.int64))
    place = np.empty(packed.size, np.int64)
    place[in_order] = np.arange(packed.size) - np.repeat(np.cumsum(different) - different, different)
    kept = place < size[group]
    users = field(packed[kept], calls, across).astype(np.int32)
    return np.minimum(different, size), users
