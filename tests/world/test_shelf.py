import numpy as np

from sim.world.shelf import front, shelf
from tests.views import make_world


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
