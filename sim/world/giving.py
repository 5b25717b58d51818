"""Giving: what the platform lets people give, and the occasions on which they do."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.units import Bools, fen
from sim.world.calendar import FESTIVALS
from sim.world.world import World

OCCASIONS = (  # a festival by its place in the calendar's list, then what is no festival
    *(festival.name.lower().replace("'", "").replace("-", "_").replace(" ", "_") for festival in FESTIVALS),
    "birthday",
    "thanks",
)
BIRTHDAY, THANKS = OCCASIONS.index("birthday"), OCCASIONS.index("thanks")
TAGS = (*(OCCASIONS[code] for code, festival in enumerate(FESTIVALS) if festival.gift), "birthday", "thanks")


def can_be_given(world: World, listed: Bools, rules: Mapping[str, Any]) -> Bools:
    """Which of the products listed as gifts the platform's rules allow, shape (products,)."""
    product = world.product
    excluded = [code for code, name in enumerate(world.categories) if name in rules["gift_excluded_categories"]]
    affordable = product["price"] <= fen(rules["gift_price_cap_yuan"])
    out: Bools = listed & affordable & ~np.isin(product["category"], excluded)
    return out & np.bool_(rules["gifts"])
