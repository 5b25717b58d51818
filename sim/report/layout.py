"""Places for people on a plane, so that friends stand near each other: forces that settle, from a drawn start."""

import numpy as np

from sim import draws
from sim.units import F64, I64

ROUNDS = 60
PULL = 2.0  # towards the middle
BOND = 20.0  # of a tie between two people who have no other
DIGITS = 3


def places(people: I64, ties: I64) -> F64:
    """Where people stand, (people, 2) on a disc in 0..1, given ties as pairs of positions, (ties, 2); the same always.

    Every two push each other apart by 1 / (n d) at a distance d, ties pull by BOND · d / √(degrees), so that those who
    know many do not all fall into the middle, and each round moves people by less (after Fruchterman and Reingold
    1991). In the end distances from the middle are spread so that the disc is filled evenly.
    """
    count = people.size
    if count == 0:
        return np.zeros((0, 2))
    keys = people.astype(np.uint64)
    at = np.stack([draws.uniform(f"report.layout/{axis}", keys) for axis in "xy"], axis=1)
    degree = np.maximum(np.bincount(ties.ravel(), minlength=count), 1)
    bond = BOND / np.sqrt(degree[ties[:, 0]] * degree[ties[:, 1]])[:, None]
    for turn in range(ROUNDS):
        force = _apart(at) + _together(at, ties, bond) + PULL * (0.5 - at)
        length = np.maximum(np.sqrt((force * force).sum(axis=1, keepdims=True)), 1e-9)
        at = at + force / length * np.minimum(length, 0.1 * (1.0 - turn / ROUNDS))
    return np.round(_spread(at), DIGITS)


def _apart(at: F64) -> F64:
    """The sum of what pushes each away from all others."""
    dx, dy = (at[:, axis, None] - at[None, :, axis] for axis in (0, 1))
    near = 1.0 / (at.shape[0] * np.maximum(dx * dx + dy * dy, 1e-6))
    out: F64 = np.stack([(dx * near).sum(axis=1), (dy * near).sum(axis=1)], axis=1)
    return out


def _together(at: F64, ties: I64, bond: F64) -> F64:
    """The sum of what pulls each towards her friends."""
    out = np.zeros_like(at)
    pull = (at[ties[:, 1]] - at[ties[:, 0]]) * bond
    np.add.at(out, ties[:, 0], pull)
    np.subtract.at(out, ties[:, 1], pull)
    return out


def _spread(at: F64) -> F64:
    """The same directions from the middle, distances by rank, so that as many stand on every piece of the disc."""
    way = at - at.mean(axis=0)
    far = np.sqrt((way * way).sum(axis=1))
    rank = np.empty(far.size)
    rank[np.argsort(far, kind="stable")] = np.arange(far.size)
    wanted = 0.5 * np.sqrt((rank + 0.5) / far.size)
    out: F64 = 0.5 + way / np.maximum(far, 1e-9)[:, None] * wanted[:, None]
    return out
