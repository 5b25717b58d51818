"""Doors: which channels show pages of the mini-program, whoever puts them there, and what such pages know.

The terms of a product (`operations.assortment`) that pages of the mini-program show (`operations.stock_sync`) are basis
points off its list price or `WITHDRAWN`; or they are `UNTOLD`, those of the beginning, or `LIVE`, those of the store.
"""

from collections.abc import Mapping

import numpy as np

from sim.units import Array, Bools

WITHDRAWN, UNTOLD, LIVE = -1, -2, -3
MINI_PAGES = ("cart", "mini_program", "outside_link", "template_messages")


def in_mini(channel: Array, codes: Mapping[str, int]) -> Bools:
    """Whether each channel's pages stand in the mini-program; `codes` are the channels' codes by name."""
    of_mini = np.zeros(max(codes.values()) + 1, np.bool_)
    of_mini[[codes[name] for name in MINI_PAGES if name in codes]] = True
    out: Bools = of_mini[channel]
    return out
