"""The shelf: which goods of a merchant a visitor sees first, the cheapest, named ones, styles she likes, hoards."""

from collections.abc import Iterator, Sequence

import numpy as np

from sim import draws
from sim.kernels import expand, segments
from sim.params import Setting
from sim.units import F64, I64, NOBODY, Array, Bools
from sim.words import _
from sim.world.world import World

STYLES = 1_024  # numbering of styles: product · 1,024 + place among its styles


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


def named(world: World, names: Sequence[Sequence[str] | None]) -> Bools:
    """Which products a list by merchant names, shape (products,): an empty one names all, None none."""
    known, merchant = world.product_names, world.product["merchant"].tolist()
    wanted = (names[shop] for shop in merchant)
    there = [some is not None and (not some or known[at % len(known)] in some) for at, some in enumerate(wanted)]
    return np.array(there, np.bool_)


def unknown(names: Sequence[str], around: Setting, where: str = "products") -> Iterator[tuple[str, str]]:
    """Names that none of the merchant's goods has, for `Params.idle`."""
    for name in names:
        if name not in around.goods:
            known = ", ".join(around.goods)
            yield where, _("there is no product {name!r}; known here: {known}", name=name, known=known)


def hoard(world: World, ahead_days: F64, most: Array) -> I64:
    """Pieces of each product that somebody who stocks up orders, shape (products,); parameters by merchant.

    Of goods that are used up they last `ahead_days` beyond the piece in use: 1 + ⌊ahead_days / cycle⌋, at most `most`.
    """
    cycle, merchant = world.product["cycle_days"], world.product["merchant"]
    more = np.where(cycle > 0, ahead_days[merchant] / np.where(cycle > 0, cycle, 1.0), 0.0)
    out: I64 = np.minimum(1 + more.astype(np.int64), most[merchant].astype(np.int64))
    return out


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
