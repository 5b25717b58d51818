"""Doing many independent pieces of work on any `concurrent.futures.Executor`, with results by index.

The process pool starts its workers by `spawn`: a forked child would inherit the locks of pyarrow's and BLAS's
threads in whatever state they were, and hang once in a while; it also means the same on every platform.
"""

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from sim.errors import StudyError, WxsimError
from sim.kernels.threads import processors as processors

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

POLL_SECONDS = 0.1  # how often progress is read from the workers

# Where work that runs here reports its progress; set by whoever runs it (this process or a pool's initialiser).
_REPORT: ContextVar[Callable[[int], None]] = ContextVar("report", default=lambda steps: None)


class SerialExecutor(Executor):
    """An executor of one worker, which is the caller: each piece is done as it is submitted."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # as a pool would, to be raised by result()
            future.set_exception(error)
        return future


def report(steps: int) -> None:
    """Called inside a piece of work: this many more steps are done."""
    _REPORT.get()(steps)


def said(error: Exception) -> str:
    """An error in one line: ours as it is, any other with its type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, WxsimError) else f"{type(error).__name__}: {text}"


def executor(workers: int, steps: Any = None) -> Executor:
    """Serial for one worker, else a pool of processes that add what they report to the shared counter `steps`."""
    if workers < 1:
        raise StudyError(f"{workers} workers can do nothing; use 1 or more")
    return SerialExecutor() if workers == 1 else _processes(workers, steps)


def gather(
    work: Callable[[U], T],
    units: Sequence[U],
    *,
    workers: int = 1,
    lane: Callable[[U], int] | None = None,
    progress: Callable[[int], None] | None = None,
    done: Callable[[int, T | Exception], None] | None = None,
) -> list[T | Exception]:
    """`work` on every unit; each result, or the error that it raised, at the unit's own index.

    `work` and the units must be picklable when there are several workers. Units of one `lane` are done by one worker,
    in order, so that it can keep what they share. `progress` is told the steps reported so far; `done` is told each
    result as it comes, so that an interrupt loses nothing that was finished: on KeyboardInterrupt what is pending is
    cancelled and what runs is ended. A worker that dies takes its pool and all that was pending there with it; that is
    then done one by one, each in a process of its own, and what dies again has failed.
    """
    results: dict[int, T | Exception] = {}

    def keep(index: int, result: T | Exception) -> None:
        results[index] = result
        if done:
            done(index, result)

    if min(workers, len(units)) <= 1:
        _serially(work, units, progress, keep)
    else:
        count = min(workers, len(units))
        steps = multiprocessing.get_context("spawn").Value("q", 0)
        lanes = [lane(unit) % count for unit in units] if lane else [0] * len(units)
        pools = [1] * count if lane else [count]
        _in_pools(work, dict(enumerate(units)), pools, lanes, _Watch(steps, progress, keep))
        for index in [index for index in range(len(units)) if index not in results]:
            _in_pools(work, {index: units[index]}, [1], [0] * len(units), _Watch(steps, progress, keep))
            if index not in results:
                keep(index, StudyError("its process died, perhaps for lack of memory"))
    return [results[index] for index in range(len(units))]


STRIKES = 3  # times that its process may die before a piece of work is given up


def stream(
    work: Callable[[U], T],
    units: Sequence[U],
    *,
    workers: int = 1,
    pool: Callable[[], Executor] | None = None,
    done: Callable[[int, T | Exception], None],
    told: Callable[[int], None] = lambda steps: None,
) -> None:
    """`work` on every unit, on any executor of `concurrent.futures`; `done` is told each result as it comes.

    `pool` opens the executor; by default a pool of `workers` processes here (one worker is the caller). Few units are
    under way at a time, so an interrupt or a lost worker costs little. A pool that breaks is opened again; what was
    under way then is done again, alone, and given up after three deaths. `told` hears of the steps reported so far
    (only processes here report), about every tenth of a second.
    """
    if pool is None and min(workers, len(units)) <= 1:
        _serially(work, units, told, done)
        return
    steps = None if pool else multiprocessing.get_context("spawn").Value("q", 0)
    waiting, strikes = deque(range(len(units))), Counter[int]()
    while waiting:
        running: dict[Future[Any], int] = {}
        lost: set[int] = set()
        with _opened(pool, workers, steps) as opened:
            while waiting or running:
                alone = bool(waiting) and strikes[waiting[0]] > 0
                while waiting and len(running) < (1 if alone else 2 * workers) and not lost:
                    if strikes[waiting[0]] and running:
                        break
                    index = waiting.popleft()
                    try:
                        running[opened.submit(work, units[index])] = index
                    except BrokenExecutor:
                        lost.add(index)
                finished, _ = wait(running, POLL_SECONDS, FIRST_COMPLETED)
                told(steps.value if steps is not None else 0)
                for future in finished:
                    index = running.pop(future)
                    try:
                        done(index, _result(future))
                    except (BrokenExecutor, CancelledError):
                        lost.add(index)
                if lost and not running:
                    break
        for index in sorted(lost):
            strikes[index] += 1
            if strikes[index] < STRIKES:
                waiting.append(index)
            else:
                done(index, StudyError("its process died again and again, perhaps for lack of memory"))


@contextmanager
def _opened(pool: Callable[[], Executor] | None, workers: int, steps: Any) -> Iterator[Executor]:
    """An executor that is shut when the block ends, and leaves no process behind when it ends badly."""
    if pool is None:
        with _open([workers], steps) as (opened,):
            yield opened
    else:
        with pool() as given:
            yield given


@dataclass(frozen=True, slots=True)
class _Watch:
    """The shared counter of steps, and who is told what comes of the work."""

    steps: Any
    progress: Callable[[int], None] | None
    keep: Callable[[int, Any], None]


def _serially(
    work: Callable[[U], T],
    units: Sequence[U],
    progress: Callable[[int], None] | None,
    keep: Callable[[int, T | Exception], None],
) -> None:
    """One unit after the other, here."""
    total = 0

    def add(steps: int) -> None:
        nonlocal total
        total += steps
        if progress:
            progress(total)

    token = _REPORT.set(add)
    try:
        for index, unit in enumerate(units):
            future = SerialExecutor().submit(work, unit)
            keep(index, _result(future))
    finally:
        _REPORT.reset(token)


def _in_pools(
    work: Callable[[U], Any], units: Mapping[int, U], pools: Sequence[int], lanes: Sequence[int], watch: _Watch
) -> None:
    """Unit i on pool `lanes[i]` of as many processes as `pools` says. What a broken pool left is never kept."""
    with _open(pools, watch.steps) as opened:
        running = {}
        for index, unit in units.items():
            with suppress(BrokenProcessPool), _deaf():
                running[opened[lanes[index]].submit(work, unit)] = index
        while running:
            finished, _ = wait(running, POLL_SECONDS, FIRST_COMPLETED)
            if watch.progress:
                watch.progress(watch.steps.value)
            for future in finished:
                index = running.pop(future)
                with suppress(BrokenProcessPool, CancelledError):
                    watch.keep(index, _result(future))


@contextmanager
def _open(sizes: Sequence[int], steps: Any) -> Iterator[list[ProcessPoolExecutor]]:
    """Pools of processes that leave none behind when the block is left by an error."""
    before = set(multiprocessing.active_children())
    pools = [_processes(size, steps) for size in sizes]
    try:
        yield pools
    except BaseException:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    for pool in pools:
        pool.shutdown()


@contextmanager
def _deaf() -> Iterator[None]:
    """A process that is started here never hears Ctrl-C, not even while it starts: its parent does, and ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _processes(workers: int, steps: Any) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _join_pool, (steps,))


def _result(future: Future[Any]) -> Any:
    """What the work returned, or the error that it raised. A broken pool is not the work's error, and is raised."""
    try:
        return future.result()
    except (BrokenProcessPool, CancelledError):
        raise
    except Exception as error:
        return error


def _join_pool(steps: Any) -> None:
    """In a new worker: leave Ctrl-C to the parent, end with it, and count steps where it can see them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()

    def add(done: int) -> None:
        with steps.get_lock():
            steps.value += done

    if steps is not None:
        _REPORT.set(add)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers; they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
