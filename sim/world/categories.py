"""Categories of goods: how much people care for them, and how readily they recommend them."""

import numpy as np

from sim.units import F64

# name: (share of the average person's taste [assumed], how readily it is recommended)
# Recommendation strength is high for food and clothes and low for appliances (facts: sharing.category_strength);
# all others are ordinary.
_TABLE = {
    "food": (0.16, "high"),
    "tea": (0.07, "ordinary"),
    "fruit": (0.12, "ordinary"),
    "beauty": (0.12, "ordinary"),
    "clothes": (0.15, "high"),
    "home": (0.09, "ordinary"),
    "toys": (0.06, "ordinary"),
    "electronics": (0.07, "ordinary"),
    "appliances": (0.05, "low"),
    "flowers": (0.04, "ordinary"),
    "jewellery": (0.03, "ordinary"),
    "education": (0.04, "ordinary"),
}
_FACTOR = {"high": 1.5, "ordinary": 1.0, "low": 0.6}  # assumed size of the reported ranking

CATEGORIES: tuple[str, ...] = tuple(_TABLE)


def category(name: str) -> int:
    """The code of a category by its name."""
    return CATEGORIES.index(name)


def taste_share() -> F64:
    """The average person's taste, shape (categories,), sums to 1."""
    return np.array([share for share, _ in _TABLE.values()])


def sharing_strength() -> F64:
    """How readily people recommend each category, relative to an ordinary one; shape (categories,)."""
    return np.array([_FACTOR[strength] for _, strength in _TABLE.values()])
