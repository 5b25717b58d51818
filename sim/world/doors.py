"""Doors: which channels show pages of the mini-program, whoever puts them there."""

from collections.abc import Mapping

import numpy as np

from sim.units import Array, Bools

MINI_PAGES = ("cart", "mini_program", "outside_link", "template_messages")


def in_mini(channel: Array, codes: Mapping[str, int]) -> Bools:
    """Whether each channel's pages stand in the mini-program; `codes` are the channels' codes by name."""
    of_mini = np.zeros(max(codes.values()) + 1, np.bool_)
    of_mini[[codes[name] for name in MINI_PAGES if name in codes]] = True
    out: Bools = of_mini[channel]
    return out
