import numpy as np

from sim import catalog
from sim.world.doors import MINI_PAGES, in_mini, leads_in
from sim.world.state import FOLLOWS, MINI


def test_pages_of_the_mini_program_are_known_by_their_channel() -> None:
    codes = {name: code for code, name in enumerate(catalog.channels())}
    pages = in_mini(np.arange(len(codes)), codes)
    assert {name for name, code in codes.items() if pages[code]} == set(MINI_PAGES)
    assert in_mini(np.array([0, 1]), {"store": 0, "mini_program": 1}).tolist() == [False, True]


def test_whoever_has_it_listed_is_led_in_from_everywhere_but_the_store() -> None:
    codes = {"store": 0, "search": 1, "mini_program": 2}
    channel = np.arange(3)
    assert leads_in(np.full(3, FOLLOWS), channel, codes).tolist() == [False, False, True]
    assert leads_in(np.full(3, FOLLOWS | MINI), channel, codes).tolist() == [False, True, True]
