import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.world.shelf import cheapest, front, hoard, named, shelf, styles
from tests.views import make_view, make_world


def test_front_of_the_shelf_is_what_sells_best() -> None:
    begin = shelf(make_world(users=4, merchants=3, products=4))
    assert begin.tolist() == [0, 4, 8, 12]
    sold = np.array([5, 9, 1, 9, 0, 0, 0, 0, 4, 3, 2, 1])
    owner, product = front(begin, sold, np.array([0, 2, 1]), 2)
    assert owner.tolist() == [0, 0, 1, 1, 2, 2]
    assert product.tolist() == [1, 3, 8, 9, 4, 5]


def test_a_short_shelf_is_shown_whole() -> None:
    begin = np.array([0, 0, 2])
    owner, product = front(begin, np.zeros(2), np.array([0, 1]), 5)
    assert (owner.tolist(), product.tolist()) == ([1, 1], [0, 1])


def test_goods_are_named_by_merchant() -> None:
    world = make_view(2, merchants=3, products=2, seeds=(1, 2)).world
    names = list(world.product_names)
    got = named(world, [[], None, [names[5]]] * 2).tolist()
    assert got == [True, True, False, False, False, True] * 2


@given(st.floats(0, 300), st.integers(1, 9), st.lists(st.sampled_from([0, 7, 14, 30, 45]), min_size=4, max_size=4))
def test_a_hoard_lasts_the_days_beyond_the_piece_in_use(ahead: float, most: int, cycles: list[int]) -> None:
    world = make_view(2, merchants=2, products=2).world
    world.product["cycle_days"][:] = cycles
    pieces = hoard(world, np.full(2, ahead), np.full(2, float(most)))
    for cycle, count in zip(cycles, pieces.tolist(), strict=True):
        assert 1 <= count <= most
        assert cycle == 0 or (count - 1) * cycle <= ahead
        assert count == most or cycle == 0 or count * cycle > ahead
        assert cycle > 0 or count == 1


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=6, max_size=6))
def test_the_cheapest_is_the_first_of_the_least_price(goods: list[tuple[int, bool]]) -> None:
    world = make_world(users=2, merchants=2, products=3)
    world.product["price"][:] = [price for price, _ in goods]
    listed = np.array([at for at, (_, there) in enumerate(goods) if there], np.int64)
    wanted = []
    for merchant in range(2):
        own = [at for at in listed.tolist() if at // 3 == merchant]
        wanted.append(min(own, key=lambda at: (goods[at][0], at)) if own else -1)
    assert cheapest(world, listed).tolist() == wanted


def test_all_styles_of_a_product_are_liked_by_a_person_for_life() -> None:
    world = make_world(users=5, merchants=2, products=2, variants=3)
    owner, variant, liking, number = styles(world, np.array([4, 1, 4]), np.array([3, 0, 3]))
    assert owner.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert variant.tolist() == [9, 10, 11, 0, 1, 2, 9, 10, 11]
    assert liking[:3].tolist() == liking[6:].tolist() and np.unique(liking).size == 6
    assert number[:3].tolist() == number[6:].tolist() and np.unique(number).size == 6
