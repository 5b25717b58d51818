"""The shelf: which goods of a merchant a visitor sees first, the cheapest, and the styles that she likes best."""

import numpy as np

from sim import draws
from sim.kernels import expand, segments
from sim.units import F64, I64, NOBODY, Array
from sim.world.world import World

STYLES = 1_024  # numbering of styles: product · 1,024 + place among its styles


def shelf(world: World) -> I64:
    """Where each merchant's products begin, shape (m + 1,): those of merchant i are shelf[i]:shelf[i + 1]."""
    out: I64 = np.searchsorted(world.product["merchant"], np.arange(world.m + 1))
    return out


def front(begin: I64, sold: Array, merchant: Array, depth: int) -> tuple[I64, I64]:
    """The `depth` best-selling products of each merchant asked for, of equals the first listed.

    `begin` is the shelf, `sold` counts pieces by product; returns (position in `merchant`, product).
    """
    if not merchant.size:
        return begin[:0], begin[:0]
    owner, product = expand.expand(begin[merchant], begin[merchant + 1])
    kept = segments.top_k(owner, sold[product], depth, product.astype(np.uint64))
    return owner[kept], product[kept]


def cheapest(world: World, product: I64) -> I64:
    """The cheapest of these products (ascending) of each merchant, of equals the first listed, shape (m,); -1: none."""
    out, owner = np.full(world.m, NOBODY), world.product["merchant"][product]
    best = product[segments.argmax(owner, -world.product["price"][product], product.astype(np.uint64))]
    out[world.product["merchant"][best]] = best
    return out


def styles(world: World, user: Array, product: Array) -> tuple[I64, I64, F64, I64]:
    """All styles of each user's product: (position, style, how she likes it all her life, its natural number)."""
    begin = world.variant_start[product]
    owner, variant = expand.expand(begin, world.variant_start[product + 1])
    number = world.product_number(product[owner]) * STYLES + variant - begin[owner]
    return owner, variant, draws.gumbel("people.buy/variant", world.user_key[user[owner]], number), number
