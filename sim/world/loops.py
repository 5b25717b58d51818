"""World building one tie, one invitation, one person at a time: compiled by numba, used where it is installed.

Each function returns to the bit what the arrays of `sim.world.native`, `sim.world.groups` and `sim.world.people`
return, since it takes the same draws at the same addresses and the same steps in the same order.
"""

import numpy as np
from numba import njit

from sim.units import F64, I32, I64, U64
from sim.world.graph import Strength

_STEP = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ONE, _S11, _S27, _S30, _S31, _S32 = (np.uint64(s) for s in (1, 11, 27, 30, 31, 32))
_LOW = 2**32 - 1
_WEAKEST = 65_535


@njit(inline="always")
def _mix(x):
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


@njit(inline="always")
def _uniform(root, index):
    bits = _mix(root ^ (np.uint64(index) + _ONE) * _STEP)
    return (np.float64(bits >> _S11) + 0.5) * 2.0**-53


@njit(nogil=True, cache=True)
def _by_label(label, base, count):
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


@njit(nogil=True, cache=True)
def circle(keys, coin, luck, ties, label, first, share, kind, kinds, close, noise, steps):
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
            root, opened = _mix(keys[u] + coin), found
            for j in range(i + 1, end):
                v = order[j]
                chance = min(weight[j] * part, 1.0)
                us[found], vs[found], know[found] = u, v, chance
                found += _uniform(root, (v + first) * kinds + kind) < chance  # the next overwrites one that missed
            root = _mix(keys[u] + luck)
            for t in range(opened, found):
                common = know[t] * friends
                wide = close + common / (1.0 + common) + noise * _uniform(root, vs[t] + first)
                force[t] = np.uint16(wide * steps)
    return us[:found].copy(), vs[:found].copy(), force[:found].copy()


@njit(nogil=True, cache=True)
def _weakest_last(force):
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


@njit(nogil=True, cache=True)
def rows(first, n, low, high, force):
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


@njit(nogil=True, cache=True)
def half_ties(keys, purpose, count, place, mine, spare):
    """The person of each half-tie, and (place, luck, number of the half-tie) as one number each, to be sorted."""
    total = 0
    for i in range(count.size):
        total += count[i]
    person, packed = np.empty(total, np.int32), np.empty(total, np.uint64)
    t = 0
    for i in range(count.size):
        root = _mix(keys[i] + purpose)
        top = np.uint64(place[i]) << np.uint64(spare)
        for nth in range(count[i]):
            bits = _mix(root ^ np.uint64(nth + 1) * _STEP) >> np.uint64(64 - spare)
            person[t], packed[t] = i, (top | bits) << np.uint64(mine) | np.uint64(t)
            t += 1
    return person, packed


@njit(nogil=True, cache=True)
def paired(keys, luck, person, place, packed, mine, first, noise, steps):
    """`native._Run.near`: neighbours of one place in the sorted list of half-ties as ties (u, v, strength)."""
    us, vs, force = (
        np.empty(packed.size // 2, np.int32),
        np.empty(packed.size // 2, np.int32),
        np.empty(packed.size // 2, np.uint16),
    )
    found, t, low = 0, 0, (_ONE << np.uint64(mine)) - _ONE
    while t + 1 < packed.size:
        one, two = person[packed[t] & low], person[packed[t + 1] & low]
        if place[one] != place[two]:
            t += 1
            continue
        t += 2
        if one != two:
            u, v = min(one, two), max(one, two)
            us[found], vs[found] = u, v
            force[found] = np.uint16(noise * _uniform(_mix(keys[u] + luck), v + first) * steps)
            found += 1
    return us[:found].copy(), vs[:found].copy(), force[:found].copy()


@njit(inline="always")
def _friend(indptr, indices, user, luck):
    """`groups._some_friend`."""
    start, end = indptr[user], indptr[user + 1]
    if end == start:
        return user
    return np.int64(indices[min(start + np.int64(luck * (end - start)), indices.size - 1)])


@njit(nogil=True, cache=True)
def members(indptr, indices, keys, founder, size, spare, share, purposes):
    """`groups._members`: how many are in each group, and who. `purposes` of own, friend and further in this order."""
    total = 0
    for g in range(size.size):
        total += size[g]
    users, count, used = np.empty(total, np.int32), np.empty(size.size, np.int64), 0
    for g in range(size.size):
        own, near, further = _mix(keys[g] + purposes[0]), _mix(keys[g] + purposes[1]), _mix(keys[g] + purposes[2])
        begin, seated, call, invited = used, used + 1, 0, (size[g] - 1) * spare
        users[begin] = founder[g]
        while seated < begin + size[g] and call < invited:
            user = _friend(indptr, indices, founder[g], _uniform(near, call))
            if not _uniform(own, call) < share:
                user = _friend(indptr, indices, user, _uniform(further, call))
            call += 1
            again = False
            for i in range(begin, seated):
                again |= users[i] == user
            users[seated] = user
            seated += not again
        users[begin:seated].sort()
        count[g], used = seated - begin, seated
    return count, users[:used].copy()


@njit(nogil=True, cache=True)
def taste(keys, purpose, community, common, table, least, out):
    """`people._taste` of the people with these keys, written into `out`."""
    last = table.size - 1
    for i in range(keys.size):
        root, total = _mix(keys[i] + purpose), 0.0
        liking = np.empty(out.shape[1])
        for c in range(out.shape[1]):
            position = _uniform(root, c) * last
            low = np.int64(position)
            one = table[low] + (table[min(low + 1, last)] - table[low]) * (position - low)
            liking[c] = common[community[i], c] * one + least
            total += liking[c]
        for c in range(out.shape[1]):
            out[i, c] = liking[c] / total
