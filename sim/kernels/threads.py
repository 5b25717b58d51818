"""Blocks of one task over the cores: numpy and numba let go of Python's lock inside large operations."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST = 8  # threads; memory is soon what all wait for
_AHEAD = 2  # finished blocks per thread that may wait for their turn


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores() -> int:
    """How many of them threads of this process may use, at most eight."""
    return min(processors(), _MOST)


def in_order(task: Callable[[T], R], items: Iterable[T], threads: int | None = None) -> Iterator[R]:
    """What the task makes of each item, in their order; `threads` at a time, by default one per core.

    Tasks must not depend on each other. Few results are held at once, so memory does not grow with the items.
    """
    threads, items = cores() if threads is None else threads, iter(items)
    first = list(islice(items, 2))
    if threads < 2 or len(first) < 2:  # one item is no work for two
        yield from map(task, chain(first, items))
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[R]] = deque()
        for item in chain(first, items):
            waiting.append(pool.submit(task, item))
            if len(waiting) > _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def blocks(rows: int, size: int) -> list[slice]:
    """All rows, in runs of at most `size`."""
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
