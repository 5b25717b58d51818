import numpy as np

from sim import catalog
from sim.world.doors import MINI_PAGES, in_mini


def test_pages_of_the_mini_program_are_known_by_their_channel() -> None:
    codes = {name: code for code, name in enumerate(catalog.channels())}
    inside = in_mini(np.arange(len(codes)), codes)
    assert {name for name, code in codes.items() if inside[code]} == set(MINI_PAGES)
    assert in_mini(np.array([0, 1]), {"store": 0, "mini_program": 1}).tolist() == [False, True]
