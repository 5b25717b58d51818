"""Merchants, products and variants of a lone world as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.units import I32, I64, Array, fen
from sim.world.categories import category, sharing_strength
from sim.world.params import MerchantParams, ProductParams

PLACES = 1 << 20  # numbers set aside for each merchant's products
DEFAULT_COST = 0.5  # of the price, where a product states none (assumed)


@dataclass(frozen=True, slots=True)
class Market:
    """m merchants with p products and v variants, in the order of the scenario file."""

    merchant: Mapping[str, Array]  # (m,): category (int8; -1 without any product)
    product: Mapping[str, Array]  # (p,): see `PRODUCT`
    variant_start: I64  # (p + 1,)
    variant_product: I32  # (v,)
    merchant_names: tuple[str, ...]
    merchant_keys: tuple[str, ...]  # by which a scenario names them
    product_names: tuple[str, ...]
    variant_names: tuple[str, ...]


# name -> (dtype, unit and meaning)
PRODUCT = {
    "merchant": (np.int32, "who sells it"),
    "number": (np.int64, "natural index for draws: merchant · PLACES + place among the merchant's products"),
    "category": (np.int8, "code of its category"),
    "price": (np.int64, "list price, fen"),
    "customary": (np.int64, "what people are used to pay for it, fen"),
    "cost": (np.int64, "cost of goods, fen"),
    "quality": (np.float64, "0..1"),
    "cycle_days": (np.float64, "days until it is used up, 0 for never"),
    "giftable": (np.bool_, "whether the merchant offers it as a gift; the platform's rules come on top"),
    "weight": (np.float64, "how often people come across it, relative to others"),
    "sharing": (np.float64, "how readily people recommend its category, 1 is ordinary"),
}


def market(merchants: Mapping[str, MerchantParams]) -> Market:
    """The market that the scenario describes."""
    rows = [
        (number, place, name, product)
        for number, merchant in enumerate(merchants.values())
        for place, (name, product) in enumerate(merchant.products.items())
    ]
    counts = [len(product.variants) for *_, product in rows]
    return Market(
        merchant={"category": np.array([_main_category(m) for m in merchants.values()], np.int8)},
        product=_columns([(number, place, product) for number, place, _, product in rows]),
        variant_start=np.cumsum([0, *counts], dtype=np.int64),
        variant_product=np.repeat(np.arange(len(rows), dtype=np.int32), counts),
        merchant_names=tuple(m.name or key for key, m in merchants.items()),
        merchant_keys=tuple(merchants),
        product_names=tuple(name for _, _, name, _ in rows),
        variant_names=tuple(variant for *_, product in rows for variant in product.variants),
    )


def _columns(rows: list[tuple[int, int, ProductParams]]) -> dict[str, Array]:
    sharing = sharing_strength()
    values = [
        (
            merchant,
            merchant * PLACES + place,
            category(p.category),
            fen(p.price),
            fen(p.customary_price or p.price),
            fen(p.price * DEFAULT_COST if p.cost is None else p.cost),
            p.quality,
            p.cycle_days,
            p.giftable,
            p.popularity,
            sharing[category(p.category)],
        )
        for merchant, place, p in rows
    ]
    columns = zip(*values, strict=True) if values else [()] * len(PRODUCT)
    return {name: np.array(column, dtype) for (name, (dtype, _)), column in zip(PRODUCT.items(), columns, strict=True)}


def _main_category(merchant: MerchantParams) -> int:
    if merchant.category is not None:
        return category(merchant.category)
    return next((category(product.category) for product in merchant.products.values()), -1)
