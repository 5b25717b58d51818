"""State: every column that changes during a run, as arrays by table.

Tables: `user` (one row per user), `slot` (a user's few relations with merchants, kept in `sim.world.relations`),
`merchant`, `product`, `variant`. The core columns stand here; a mechanism adds its own in its own file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.units import Array
from sim.world.world import World

SLOTS = 6  # merchants that a user keeps in mind; memory stays linear in users

FOLLOWS = 1  # follows the service account
PINNED = 2  # has pinned it, so it is not folded
MEMBER = 4  # is in its member centre
GROUP = 8  # sits in one of its groups
MINI = 16  # has its mini-program in her list
MUTED = 32  # hears nothing more from it
DROPPED = 64  # will not buy again of her own accord


@dataclass(frozen=True, slots=True)
class Column:
    """A column of state. `table`: user, slot (a user's relation with a merchant), merchant, product, variant."""

    table: str
    name: str
    dtype: Any
    default: float
    doc: str


CORE = (
    Column("user", "last_seen", np.int32, -1, "second at which her last planned session began; -1 never"),
    Column("slot", "merchant", np.int32, -1, "the merchant; -1 empty"),
    Column("slot", "flags", np.uint8, 0, "FOLLOWS, PINNED, MEMBER, GROUP, MINI, MUTED, DROPPED"),
    Column("slot", "orders", np.int16, 0, "orders she placed for herself"),
    Column("slot", "last_order", np.int32, -1, "second of the last one"),
    Column("slot", "loyalty", np.float32, 0.5, "moving average of satisfaction, 0..1"),
    Column("slot", "notices", np.float32, 0, "its messages that she noticed, decayed over a week"),
    Column("slot", "coupon_until", np.int32, 0, "second at which her coupon lapses; 0 none"),
    Column("slot", "points", np.int32, 0, "points held"),
    Column("merchant", "fans", np.int64, 0, "followers of the service account"),
    Column("merchant", "members", np.int64, 0, "tickets given out for its groups"),
    Column("merchant", "score", np.float64, 4.5, "store score shown, 0..5"),
    Column("merchant", "coupon_pool", np.int64, 0, "coupons issued and not yet claimed"),
    Column("merchant", "stacking", np.uint8, 15, "layers of offers that add up, a bit each (`sim.contract.LAYERS`)"),
    Column("product", "sold", np.int64, 0, "pieces sold so far"),
    Column("product", "gift_on", np.bool_, 0, "can be sent as a gift"),
    Column("variant", "stock", np.int64, 0, "sellable pieces"),
)

State = dict[str, dict[str, Array]]


def allocate(world: World, columns: Iterable[Column], initial: Mapping[tuple[str, str], Array]) -> State:
    """Fresh state of a (stacked) world, relations apart: each column at its default, or at its opening value."""
    size = {
        "user": world.n,
        "merchant": world.m,
        "product": world.product["price"].size,
        "variant": world.variant_product.size,
    }
    state: State = {table: {} for table in size}
    for column in columns:
        if column.table in size:
            state[column.table][column.name] = _filled(size[column.table], column)
    for (table, name), values in initial.items():
        if table in size:
            state[table][name][:] = values
    return state


def _filled(size: int, column: Column) -> Array:
    """A column at its default; pages of zeros that nobody ever writes to cost no memory."""
    out: Array = np.zeros(size, column.dtype)
    if column.default:
        out[:] = column.default
    return out
