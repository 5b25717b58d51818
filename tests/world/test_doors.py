import numpy as np
import pytest

from sim import catalog
from sim.world.doors import MINI_PAGES, in_mini, inside
from sim.world.state import MINI
from tests.views import CHANNELS, make_view


def test_pages_of_the_mini_program_are_known_by_their_channel() -> None:
    codes = {name: code for code, name in enumerate(catalog.channels())}
    pages = in_mini(np.arange(len(codes)), codes)
    assert {name for name, code in codes.items() if pages[code]} == set(MINI_PAGES)
    assert in_mini(np.array([0, 1]), {"store": 0, "mini_program": 1}).tolist() == [False, True]


@pytest.mark.parametrize(
    ("channel", "flags", "leads"),
    [("mini_program", 0, True), ("cart", 0, True), ("store", 0, False), ("store", MINI, False),
     ("share_chat", 0, False), ("share_chat", MINI, True), ("service_account", MINI, True)],
)  # fmt: skip
def test_a_tap_leads_into_it_from_its_pages_and_from_elsewhere_for_who_has_it(
    channel: str, flags: int, leads: bool
) -> None:
    view = make_view(5, flags=flags, known=2)
    everyone = np.arange(5)
    assert (inside(view, everyone, np.zeros(5, int), np.full(5, CHANNELS[channel])) == leads).all()
