import numpy as np
import pytest

from sim import draws
from sim.world import groups as module
from sim.world.graph import SocialGraph
from sim.world.groups import groups_of
from sim.world.params import GroupParams

Both = tuple[SocialGraph, SocialGraph]


@pytest.fixture(scope="module")
def chats(native: SocialGraph) -> Both:
    return groups_of(1, native, GroupParams())


def test_people_are_in_as_many_groups_of_the_size_that_is_asked(chats: Both, native: SocialGraph) -> None:
    groups, members = chats
    assert groups.rows == native.rows
    assert members.rows == round(native.rows * 5 / 15)
    assert groups.degree.mean() == pytest.approx(5.0, rel=0.05)
    assert members.degree.mean() == pytest.approx(15.0, rel=0.05)
    assert (groups.degree > 0).mean() > 0.8


def test_sizes_are_lognormal(chats: Both) -> None:
    size = chats[1].degree
    for p, z in ((0.1, -1.2816), (0.5, 0.0), (0.9, 1.2816)):
        wanted = 15 * np.exp(0.8 * z - 0.32)
        assert np.quantile(size, p) == pytest.approx(wanted, rel=0.08, abs=1)


def test_no_group_is_over_the_cap(native: SocialGraph) -> None:
    _, members = groups_of(1, native, GroupParams(size=300, size_spread=1.5))
    assert 450 < members.degree.max() <= 500
    _, members = groups_of(1, native, GroupParams(size=30, cap=20))
    assert members.degree.max() == 20


def test_members_are_the_inverse_of_groups(chats: Both) -> None:
    groups, members = chats
    ours = np.stack([groups.owner(), groups.indices])
    theirs = np.stack([members.indices, members.owner()])
    assert np.array_equal(ours, theirs[:, np.lexsort((theirs[1], theirs[0]))])
    assert np.unique(ours[0].astype(np.int64) * members.rows + ours[1]).size == ours.shape[1]


def test_members_are_friends_and_friends_friends_of_the_founder(chats: Both, native: SocialGraph) -> None:
    _, members = chats
    keys = draws.keys(1, "chat", members.rows)
    founders = module._founders(native, keys)
    for group in range(0, members.rows, 400):
        founder = int(founders[group])
        near = native.row(founder)
        circle = {founder, *near.tolist(), *np.concatenate([native.row(friend) for friend in near]).tolist()}
        assert founder in members.row(group)
        assert circle.issuperset(members.row(group).tolist())
        assert np.isin(members.row(group), near).sum() >= 0.3 * members.row(group).size - 1


def test_groups_do_not_depend_on_how_they_are_cut(
    chats: Both, native: SocialGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 100)
    for got, wanted in zip(groups_of(1, native, GroupParams()), chats, strict=True):
        assert np.array_equal(got.indptr, wanted.indptr)
        assert np.array_equal(got.indices, wanted.indices)


def test_no_groups_and_no_friends() -> None:
    alone = SocialGraph.from_edges(40, np.zeros(0), np.zeros(0), np.zeros(0, np.uint16))
    groups, members = groups_of(1, alone, GroupParams())
    assert (members.degree == 1).all()  # only the founder
    groups, members = groups_of(1, alone, GroupParams(per_person=0))
    assert (groups.rows, groups.indices.size, members.rows) == (40, 0, 0)
