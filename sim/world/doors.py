"""Doors: which channels show pages of the mini-program, whoever puts them there, and what such pages know.

The terms of a product (`operations.assortment`) that pages of the mini-program show (`operations.stock_sync`) are basis
points off its list price or `WITHDRAWN`; or they are `UNTOLD`, those of the beginning, or `LIVE`, those of the store.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from sim.units import NOBODY, Array, Bools
from sim.world.state import MINI

WITHDRAWN, UNTOLD, LIVE = -1, -2, -3
MINI_PAGES = ("cart", "mini_program", "outside_link", "template_messages")


def in_mini(channel: Array, codes: Mapping[str, int]) -> Bools:
    """Whether each channel's pages stand in the mini-program; `codes` are the channels' codes by name."""
    return among(MINI_PAGES, channel, codes)


def leads_in(flags: Array, channel: Array, codes: Mapping[str, int]) -> Bools:
    """Whether a tap leads into the mini-program whoever has these flags of the merchant: always, but from its store."""
    out: Bools = in_mini(channel, codes) | (((flags & MINI) != 0) & (channel != codes.get("store", NOBODY)))
    return out


def among(names: Iterable[str], channel: Array, codes: Mapping[str, int]) -> Bools:
    """Whether each channel is one of these."""
    named = np.zeros(max(codes.values()) + 1, np.bool_)
    named[[codes[name] for name in names if name in codes]] = True
    out: Bools = named[channel]
    return out
