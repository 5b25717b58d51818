import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim import draws
from sim.world.packing import field, pack, shuffled, width


@given(st.integers(1, 2**40))
def test_width_is_just_wide_enough(count: int) -> None:
    assert count - 1 < 2 ** width(count)
    assert width(count) == 1 or count - 1 >= 2 ** (width(count) - 1)


@given(st.lists(st.tuples(st.integers(0, 2**20 - 1), st.integers(0, 2**13 - 1), st.integers(0, 2**31 - 1)), min_size=1))
def test_packed_numbers_sort_like_tuples_and_come_back(rows: list[tuple[int, int, int]]) -> None:
    top, middle, low = np.array(rows, np.int64).T
    packed = np.sort(pack(top, middle, 13, low, 31))
    back = [field(packed, 44, 20), field(packed, 31, 13), field(packed, 0, 31)]
    assert list(zip(*(column.tolist() for column in back), strict=True)) == sorted(rows)


def test_shuffled_keeps_groups_together_and_is_fair_inside_them() -> None:
    group = np.repeat(np.arange(2), [3, 4])
    first = np.zeros(7, np.int64)
    for event in range(3_000):
        order = shuffled(group, 2, draws.bits("test/shuffle", np.uint64(event), np.arange(7)))
        assert sorted(order[:3]) == [0, 1, 2]
        assert sorted(order[3:]) == [3, 4, 5, 6]
        first[[order[0], order[3]]] += 1
    chance = np.array([1 / 3] * 3 + [1 / 4] * 4)
    assert (abs(first / 3_000 - chance) < 4 * np.sqrt(chance * (1 - chance) / 3_000)).all()
