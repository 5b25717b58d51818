"""Twins of what `sim.world` does for every tie, every invitation to a chat group and every taste, one at a time."""

import numpy as np

from sim.draws import GOLDEN
from sim.fast import compiled
from sim.fast.draws import mix, to_uniform
from sim.units import F64, I32, I64, U64, Array

_GOLDEN = np.uint64(GOLDEN)
_LOW = 2**32 - 1
_WEAKEST = 65_535

Ties = tuple[I32, I32, Array]  # (u, v, strength) with u < v
Rows = tuple[I64, I32]  # how many entries each row has, and the entries


@compiled
def _uniform(root: np.uint64, index: int) -> float:
    """`sim.draws.uniform` where ``root = mix(event + purpose)``, for many indices of one event."""
    return to_uniform(mix(root ^ np.uint64(index + 1) * _GOLDEN))


@compiled
def _by_label(label: I32, base: int, count: int) -> tuple[I64, I32]:
    """Where each circle starts, and positions ordered by circle."""
    start = np.zeros(count + 1, np.int64)
    for i in range(label.size):
        start[label[i] - base + 1] += 1
    for c in range(count):
        start[c + 1] += start[c]
    free, order = start[:-1].copy(), np.empty(label.size, np.int32)
    for i in range(label.size):
        c = label[i] - base
        order[free[c]] = i
        free[c] += 1
    return start, order


@compiled
def circle(
    keys: U64, coin: np.uint64, luck: np.uint64, ties: I32, label: I32, first: int, share: float, kind: int, kinds: int,
    close: float, noise: float, steps: float,
) -> Ties:  # fmt: skip
    """`native._Run.circle`: ties (u, v, strength) in the circles of one kind. `coin` and `luck` are purposes."""
    base = label.min()
    start, order = _by_label(label, base, label.max() - base + 1)
    pairs = 0
    for c in range(start.size - 1):
        size = start[c + 1] - start[c]
        pairs += size * (size - 1) // 2
    us, vs, force = np.empty(pairs + 1, np.int32), np.empty(pairs + 1, np.int32), np.empty(pairs + 1, np.uint16)
    weight, know = np.empty(label.size), np.empty(pairs + 1)
    found = 0
    for c in range(start.size - 1):
        begin, end = start[c], start[c + 1]
        total, square = 0.0, 0.0
        for i in range(begin, end):
            weight[i] = share * ties[order[i]]
            total += weight[i]
            square += weight[i] * weight[i]
        for i in range(begin, end):
            u = order[i]
            part, friends = weight[i] / total, square / total
            root, opened = mix(keys[u] + coin), found
            for j in range(i + 1, end):
                v = order[j]
                chance = min(weight[j] * part, 1.0)
                us[found], vs[found], know[found] = u, v, chance
                found += _uniform(root, (v + first) * kinds + kind) < chance  # the next overwrites one that missed
            root = mix(keys[u] + luck)
            for t in range(opened, found):
                common = know[t] * friends
                wide = close + common / (1.0 + common) + noise * _uniform(root, vs[t] + first)
                force[t] = np.uint16(wide * steps)
    return us[:found].copy(), vs[:found].copy(), force[:found].copy()


@compiled
def _weakest_last(force: Array) -> I32:
    """Positions of ties, strongest first (a counting sort)."""
    free, order = np.zeros(_WEAKEST + 2, np.int32), np.empty(force.size, np.int32)
    for i in range(force.size):
        free[_WEAKEST - force[i] + 1] += 1
    for s in range(_WEAKEST):
        free[s + 1] += free[s]
    for i in range(force.size):
        s = _WEAKEST - force[i]
        order[free[s]] = i
        free[s] += 1
    return order


@compiled
def rows(first: int, n: int, low: Array, high: Array, force: Array) -> Rows:
    """`native._ordered`: how many entries the rows first..first+n-1 have, and the entries, strongest first."""
    start = np.zeros(n + 1, np.int64)
    for i in range(low.size):
        a, b = low[i] - first, high[i] - first
        if 0 <= a < n:
            start[a + 1] += 1
        if 0 <= b < n:
            start[b + 1] += 1
    for r in range(n):
        start[r + 1] += start[r]
    free, packed = start[:-1].copy(), np.empty(start[n], np.int64)
    for i in _weakest_last(force):
        weak = np.int64(_WEAKEST - force[i]) << 32
        a, b = low[i] - first, high[i] - first
        if 0 <= a < n:
            packed[free[a]] = weak | high[i]
            free[a] += 1
        if 0 <= b < n:
            packed[free[b]] = weak | low[i]
            free[b] += 1
    seen = np.full(n, -1, np.int32)
    indices, degree = np.empty(packed.size, np.int32), np.empty(n, np.int64)
    used = 0
    for r in range(n):
        begin, end, opened = start[r], start[r + 1], used
        for i in range(begin + 1, end):  # of equal strength: the lower number first
            one, j = packed[i], i
            while j > begin and packed[j - 1] > one:
                packed[j] = packed[j - 1]
                j -= 1
            packed[j] = one
        for i in range(begin, end):
            column = packed[i] & _LOW
            near, again = column - first, False
            if 0 <= near < n:
                again = seen[near] == r
                seen[near] = r
            else:
                for j in range(opened, used):
                    again |= indices[j] == column
            if not again:
                indices[used] = column
                used += 1
        degree[r] = used - opened
    return degree, indices[:used].copy()


@compiled
def half_ties(keys: U64, purpose: np.uint64, count: Array, place: I32, mine: int, spare: int) -> tuple[I32, U64]:
    """The person of each half-tie, and (place, luck, number of the half-tie) as one number each, to be sorted."""
    total = 0
    for i in range(count.size):
        total += count[i]
    person, packed = np.empty(total, np.int32), np.empty(total, np.uint64)
    t = 0
    for i in range(count.size):
        root = mix(keys[i] + purpose)
        top = np.uint64(place[i]) << np.uint64(spare)
        for nth in range(count[i]):
            bits = mix(root ^ np.uint64(nth + 1) * _GOLDEN) >> np.uint64(64 - spare)
            person[t], packed[t] = i, (top | bits) << np.uint64(mine) | np.uint64(t)
            t += 1
    return person, packed


@compiled
def paired(
    keys: U64, luck: np.uint64, person: I32, place: I32, packed: U64, mine: int, first: int, noise: float, steps: float
) -> Ties:
    """`native._Run.near`: neighbours of one place in the sorted list of half-ties as ties (u, v, strength)."""
    us, vs, force = (
        np.empty(packed.size // 2, np.int32),
        np.empty(packed.size // 2, np.int32),
        np.empty(packed.size // 2, np.uint16),
    )
    found, t, low = 0, 0, (np.uint64(1) << np.uint64(mine)) - np.uint64(1)
    while t + 1 < packed.size:
        one, two = person[packed[t] & low], person[packed[t + 1] & low]
        if place[one] != place[two]:
            t += 1
            continue
        t += 2
        if one != two:
            u, v = min(one, two), max(one, two)
            us[found], vs[found] = u, v
            force[found] = np.uint16(noise * _uniform(mix(keys[u] + luck), v + first) * steps)
            found += 1
    return us[:found].copy(), vs[:found].copy(), force[:found].copy()


@compiled
def _friend(indptr: I64, indices: I32, user: int, luck: float) -> int | np.int64:
    """`groups._some_friend`."""
    start, end = indptr[user], indptr[user + 1]
    if end == start:
        return user
    return np.int64(indices[min(start + np.int64(luck * (end - start)), indices.size - 1)])


@compiled
def members(
    indptr: I64, indices: I32, keys: U64, founder: I64, size: I64, spare: int, share: float,
    own: np.uint64, near: np.uint64, further: np.uint64,
) -> Rows:  # fmt: skip
    """`groups._members`; `own`, `near` and `further` are purposes."""
    users, count, used = np.empty(size.sum(), np.int32), np.empty(size.size, np.int64), 0
    guest = np.empty(size.max(), np.int32)
    for g in range(size.size):
        begin, seated, call, invited = used, used + 1, 0, (size[g] - 1) * spare
        users[begin] = founder[g]
        roots = mix(keys[g] + own), mix(keys[g] + near), mix(keys[g] + further)
        while seated < begin + size[g] and call < invited:
            batch = min(begin + size[g] - seated, invited - call)
            for i in range(batch):  # apart from the next loop, so that memory is read for many at a time
                guest[i] = _friend(indptr, indices, founder[g], _uniform(roots[1], call + i))
            for i in range(batch):
                if not _uniform(roots[0], call + i) < share:
                    guest[i] = _friend(indptr, indices, guest[i], _uniform(roots[2], call + i))
            call += batch
            for i in range(batch):
                again = False
                for j in range(begin, seated):
                    again |= users[j] == guest[i]
                users[seated] = guest[i]
                seated += not again
        for i in range(begin + 1, seated):
            one, j = users[i], i
            while j > begin and users[j - 1] > one:
                users[j] = users[j - 1]
                j -= 1
            users[j] = one
        count[g], used = seated - begin, seated
    return count, users[:used].copy()


@compiled
def taste(keys: U64, purpose: np.uint64, community: I32, common: F64, table: F64, least: float, out: Array) -> None:
    """`people._fill_taste`."""
    last, liking = np.int64(table.size - 1), np.empty(out.shape[1])
    for i in range(keys.size):
        root, total = mix(keys[i] + purpose), 0.0
        for c in range(liking.size):
            position = _uniform(root, c) * last
            low = np.int64(position)
            one = table[low] + (table[min(low + np.int64(1), last)] - table[low]) * (position - low)
            liking[c] = common[community[i], c] * one + least
            total += liking[c]
        for c in range(liking.size):
            out[i, c] = liking[c] / total
