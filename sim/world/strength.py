"""Tie strength: the circle that two people share, how many friends they have in common, and luck.

strength = closeness of the circle + embeddedness e / (1 + e) + noise, as a 16-bit number. Embeddedness, the number of
common neighbours, goes with strength in every data set on ties (Granovetter 1973; Onnela et al. 2007).
"""

import numpy as np

from sim import draws
from sim.units import F64, U64, Array
from sim.world.circles import SHARE, Circles
from sim.world.graph import Strength

CLOSENESS = (1.5, 0.5, 0.5, 0.0)  # family, work, school, acquaintance (assumed)
LUCK = "world.strength/luck"  # the draw of that luck
NOISE = 1.0  # width of the uniform luck of a tie (assumed)
_ROWS = 1_024  # people whose friends' friends are counted together
STEPS = 65_535 / (max(CLOSENESS) + 1.0 + NOISE)


def strength(keys: U64, u: Array, v: Array, closeness: object, common: object, first: int = 0) -> Strength:
    """Strength of ties (u, v), u < v, from closeness and the number of common friends.

    `u` and `v` are positions in `keys`, the keys of the people from number `first` on.
    """
    close, shared = np.asarray(closeness, np.float64), np.asarray(common, np.float64)
    luck = NOISE * draws.uniform(LUCK, keys[u], v + first)
    return ((close + shared / (1.0 + shared) + luck) * STEPS).astype(np.uint16)


def community_strength(keys: U64, where: Circles, u: Array, v: Array, kind: Array) -> Strength:
    """Strength of ties of the community model; common friends as expected in the circle that the two share.

    With chances w_u w_k / W and w_v w_k / W to know member k, two people expect (w_u w_v / W) (sum w^2 / W) friends
    in common.
    """
    common = np.zeros(u.size)
    for code, share in enumerate(SHARE.values()):
        mine = (kind == code).nonzero()[0]
        weight = share * where.ties
        label = where.member[code]
        total = np.bincount(label, weight)
        square = np.bincount(label, weight * weight)
        circle = label[u[mine]]
        know = np.minimum(1.0, weight[u[mine]] * weight[v[mine]] / total[circle])
        common[mine] = know * square[circle] / total[circle]
    return strength(keys, u, v, np.array(CLOSENESS)[kind], common)


def common_friends(n: int, u: Array, v: Array) -> F64:
    """How many neighbours the two ends of each tie have in common, shape (ties,)."""
    from scipy.sparse import csr_array

    both = np.concatenate([u, v]), np.concatenate([v, u])
    friends = csr_array((np.ones(2 * u.size, np.int32), both), shape=(n, n))
    out = np.zeros(u.size)
    by_person = np.argsort(u, kind="stable")
    cuts = np.searchsorted(u[by_person], np.arange(0, n + _ROWS, _ROWS))
    for i, (start, end) in enumerate(zip(cuts[:-1], cuts[1:], strict=True)):
        if start == end:
            continue
        ties = by_person[start:end]
        paths = friends[i * _ROWS : (i + 1) * _ROWS] @ friends  # paths of two steps
        out[ties] = paths[u[ties] - i * _ROWS, v[ties]]
    return out
