import threading
import time

import pytest

from sim.kernels.threads import blocks, cores, in_order


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_results_come_in_order_whoever_is_first(threads: int | None) -> None:
    def slow_when_even(i: int) -> int:
        time.sleep(0.002 * (i % 2 == 0))
        return i * i

    assert list(in_order(slow_when_even, range(40), threads)) == [i * i for i in range(40)]


def test_few_results_are_held_at_once() -> None:
    begun: list[int] = []
    results = in_order(lambda i: begun.append(i), range(1_000), 2)
    next(results)
    assert len(begun) < 10
    results.close()


def test_several_threads_work() -> None:
    together = threading.Barrier(2, timeout=10)
    assert sorted(in_order(lambda _: together.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fault_is_raised_where_its_result_would_be(threads: int) -> None:
    results = in_order(lambda i: 1 // i, [1, 1, 0, 1], threads)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_blocks_are_all_rows_once() -> None:
    assert [(b.start, b.stop) for b in blocks(7, 3)] == [(0, 3), (3, 6), (6, 7)]
    assert blocks(0, 3) == []
    assert 1 <= cores() <= 8


def test_one_item_starts_no_thread() -> None:
    assert list(in_order(lambda _: threading.current_thread(), ["alone"], 4)) == [threading.current_thread()]
    assert list(in_order(lambda i: i, [], 4)) == []
