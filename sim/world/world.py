"""The world: everything that is fixed before the first tick, as arrays over users, merchants and products.

Several worlds with the same scenario and different seeds can be stacked into one: rows concatenated, graphs
block-diagonal. Indices are positions in the stack; `local_user` and the keys are those of the lone world, so draws
and ledgers are too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sim.units import I32, I64, U64, Array
from sim.world.graph import SocialGraph


@dataclass(frozen=True, slots=True)
class World:
    """W worlds of n users, m merchants, p products and v variants each, stacked."""

    seeds: tuple[int, ...]
    users: int  # n, per world
    merchants: int  # m, per world
    products: int  # p, per world
    variants: int  # v, per world
    categories: tuple[str, ...]

    user_key: U64  # (W·n,) hash of (seed, local user)
    merchant_key: U64  # (W·m,) hash of (seed, local merchant)
    people: Mapping[str, Array]  # fixed traits, (W·n,) or (W·n, categories); see `sim.world.people.TRAITS`
    graph: SocialGraph  # over W·n users, block-diagonal, neighbours ordered by tie strength
    groups: SocialGraph  # chat groups of friends: rows are users, entries are groups; `members` is its inverse
    members: SocialGraph  # rows are groups, entries are users

    merchant: Mapping[str, Array]  # (W·m,): category
    product: Mapping[str, Array]  # (W·p,): see `sim.world.merchants.PRODUCT`, and key
    variant_start: I64  # (W·p + 1,): variants of product i are variant_start[i]:variant_start[i+1]
    variant_product: I32  # (W·v,)
    merchant_names: Sequence[str]  # (m,)
    product_names: Sequence[str]  # (p,)
    variant_names: Sequence[str] = ()  # (v,)
    merchant_keys: Sequence[str] = ()  # (m,) by which the scenario names them

    @property
    def count(self) -> int:
        """How many worlds are stacked."""
        return len(self.seeds)

    @property
    def n(self) -> int:
        """Users in all worlds."""
        return int(self.user_key.size)

    @property
    def m(self) -> int:
        """Merchants in all worlds."""
        return int(self.merchant_key.size)

    def world_of(self, user: Array) -> Array:
        """The world of each user."""
        return user // self.users

    def local_user(self, user: Array) -> Array:
        """Each user's number in the lone world: the natural index for draws."""
        return user % self.users

    def product_number(self, product: Array) -> Array:
        """Each product's natural index for draws: its place among its merchant's products, and the merchant's place.

        A product added to one merchant therefore changes no draw of another's.
        """
        out: Array = self.product["number"][product]
        return out

    def local_merchant(self, merchant: Array) -> Array:
        """Each merchant's number in the lone world: the natural index for draws."""
        return merchant % self.merchants

    def merchant_in(self, world: Array, local_merchant: Array) -> Array:
        """The stacked index of a merchant given its world and its lone number."""
        return world * self.merchants + local_merchant

    def popular(self, per_product: Array) -> Array:
        """Stacked per-product numbers as (worlds, products)."""
        return np.asarray(per_product).reshape(self.count, self.products)
