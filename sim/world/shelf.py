"""The shelf: which goods of a merchant a visitor sees first."""

import numpy as np

from sim.kernels import expand, segments
from sim.units import I64, Array
from sim.world.world import World


def shelf(world: World) -> I64:
    """Where each merchant's products begin, shape (m + 1,): those of merchant i are shelf[i]:shelf[i + 1]."""
    out: I64 = np.searchsorted(world.product["merchant"], np.arange(world.m + 1))
    return out


def front(begin: I64, sold: Array, merchant: Array, depth: int | I64) -> tuple[I64, I64]:
    """The `depth` best-selling products of each merchant asked for, of equals the first listed.

    `begin` is the shelf, `sold` counts pieces by product, `depth` is one number or one per merchant asked for; returns
    (position in `merchant`, product).
    """
    if not merchant.size:
        return begin[:0], begin[:0]
    owner, product = expand.expand(begin[merchant], begin[merchant + 1])
    most = np.broadcast_to(depth, merchant.shape)[owner]
    kept = segments.top_k(owner, sold[product], most, product.astype(np.uint64))
    return owner[kept], product[kept]
