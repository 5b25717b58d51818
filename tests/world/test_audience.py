"""Who is reached: by layer, by scrolling, in groups; against the stated chances within four standard errors."""

import numpy as np
import pytest

from sim import draws
from sim.world import audience
from tests.views import csr, make_world, ring
from tests.world.measures import layers

SIGMAS = 4.0
USERS = 10_000
NAME = "tests.audience/told"
REACH = (0.5, 0.18, 0.05, 0.0)


def close(got, wanted, n):
    assert abs(got - wanted) <= SIGMAS * np.sqrt(wanted * (1 - wanted) / n)


def told(world, reach=REACH, scrolled=False, users=None):
    users = np.arange(world.n) if users is None else users
    event = draws.child(world.user_key[users], "tests")
    table = np.broadcast_to(np.asarray(reach, np.float64), (users.size, 4))
    owner, friend = audience.friends(world, users, event, table, np.full(users.size, scrolled), NAME)
    return users[owner], friend


@pytest.mark.parametrize("scrolled", [False, True])
def test_friends_are_reached_by_tie_and_in_moments_by_scrolling(scrolled):
    world = make_world(USERS)
    world.people["activity"][:] = np.where(np.arange(USERS) % 2 == 0, 0.4, 3.0)
    owner, friend = told(world, scrolled=scrolled)
    steps = np.abs(friend - owner)
    layer = np.minimum(np.minimum(steps, USERS - steps) - 1, 3)
    for code, chance in enumerate(REACH):
        for idle in (True, False):
            got = ((layer == code) & ((friend % 2 == 0) == idle)).sum() / USERS  # each has two friends of a layer
            close(got, chance * (0.4 if idle and scrolled else 1.0), USERS)


def test_certain_reach_is_everybody_and_none_nobody():
    world = make_world(50)
    owner, friend = told(world, (1.0,) * 4)
    assert sorted(zip(owner.tolist(), friend.tolist(), strict=True)) == sorted(
        (u, int(v)) for u in range(50) for v in world.graph.row(u)
    )
    assert told(world, (0.0,) * 4)[0].size == 0
    assert told(world, users=np.zeros(0, np.int64))[0].size == 0


def test_more_reach_loses_nobody_within_a_power_of_two():
    world = make_world(2_000)
    few, many = (
        set(zip(*(x.tolist() for x in told(world, reach)), strict=True)) for reach in (REACH, (0.5, 0.4, 0.3, 0.1))
    )
    assert few < many


def test_members_notice_one_by_one_and_never_the_speaker():
    world, users = make_world(USERS), np.arange(USERS)
    event = draws.child(world.user_key, "tests")
    owner, member = audience.members(world, users, event, np.full(USERS, 0.3), NAME)
    close(owner.size / (9 * USERS), 0.3, 9 * USERS)
    assert (owner != member).all()
    assert (owner // 10 == member // 10).all()


def test_stacked_worlds_reach_whom_lone_ones_do():
    one = ring(300)
    graph = csr(np.full(600, 8), np.concatenate([one.indices, one.indices + 300]), np.tile(layers(one), 2))
    owner, friend = told(make_world(300, seeds=(7, 8), graph=graph))
    for place, seed in enumerate((7, 8)):
        mine = owner // 300 == place
        lone = told(make_world(300, seeds=(seed,)))
        assert (owner[mine] - 300 * place).tolist() == lone[0].tolist()
        assert (friend[mine] - 300 * place).tolist() == lone[1].tolist()
