"""Doing many independent pieces of work on any `concurrent.futures.Executor`; a lost worker costs what it was doing.

The process pool starts its workers by `spawn`: a forked child would inherit the locks of pyarrow's and BLAS's
threads in whatever state they were, and hang once in a while; it also means the same on every platform.
"""

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from sim.errors import StudyError, WxsimError
from sim.kernels.threads import processors as processors
from sim.words import ENGLISH, _, speaking, spoken

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

POLL_SECONDS = 0.1  # how often progress is read from the workers
GRACE_SECONDS = 1.0  # for processes to end by themselves
STRIKES = 3  # times that its process may die before a piece of work is given up

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


@contextmanager
def heard(told: Callable[[int], None]) -> Iterator[None]:
    """Within it, `told` hears how many steps of what runs here are done, those of before included."""
    total = 0

    def add(steps: int) -> None:
        nonlocal total
        total += steps
        told(total)

    token = _REPORT.set(add)
    try:
        yield
    finally:
        _REPORT.reset(token)


def said(error: Exception) -> str:
    """An error in one line: ours as it is, any other with its type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, WxsimError) else f"{type(error).__name__}: {text}"


def stream(
    work: Callable[[U], T],
    units: Sequence[U],
    *,
    workers: int = 1,
    pool: Callable[[], Executor] | None = None,
    lane: Callable[[U], int] | None = None,
    done: Callable[[int, T | Exception], None],
    told: Callable[[int], None] = lambda steps: None,
    apart: bool = False,
) -> None:
    """`work` on every unit, on any executor; `done` is told each one's index and its result or error as it comes.

    `pool` opens an executor of `workers`; by default it is a pool of processes here (one worker is the caller, unless
    work is to be done `apart`), to whom `work` and units must be picklable. Units of one `lane` are then done by one
    process, in order, so that it can keep what they share. Few units are under way at a time, so an interrupt or a lost
    worker costs little. An executor that breaks is opened again; what was under way there is done again, alone, and
    given up after three deaths. On any other error, KeyboardInterrupt too, what is pending is cancelled and what runs
    here is ended. `told` hears of the steps reported so far (those of processes here) about every tenth of a second.
    """
    if workers < 1:
        raise StudyError(_("{workers} workers can do nothing; use 1 or more", workers=workers))
    count = min(workers, len(units))
    if pool is None and count <= 1 and not (apart and units):
        _serially(work, units, told, done)
        return
    steps = None if pool else multiprocessing.get_context("spawn").Value("q", 0)
    lanes = [lane(unit) % count for unit in units] if lane else [0] * len(units)
    size = 1 if lane else workers
    lines = [_Line(pool or partial(_processes, size, steps), 2 * size) for _ in range(count if lane else 1)]
    for index, number in enumerate(lanes):
        lines[number].waiting.append(index)
    with _closing(lines):
        while any(line.waiting or line.running for line in lines):
            for line in lines:
                line.feed(work, units)
            finished = wait([future for line in lines for future in line.running], POLL_SECONDS, FIRST_COMPLETED)[0]
            told(steps.value if steps is not None else 0)
            for line in lines:
                line.settle(finished, done)


@dataclass(slots=True)
class _Line:
    """An executor, opened when there is work and again when it broke: what waits for it, and what it is doing."""

    pool: Callable[[], Executor]
    most: int  # under way at a time
    waiting: deque[int] = field(default_factory=deque)
    running: dict[Future[Any], int] = field(default_factory=dict)
    opened: Executor | None = None
    lost: set[int] = field(default_factory=set)
    strikes: Counter[int] = field(default_factory=Counter)

    def feed(self, work: Callable[[U], Any], units: Sequence[U]) -> None:
        """Submit what there is room for. What a death has touched runs alone, to see whose fault it was."""
        while self.waiting and len(self.running) < self.most and not self.lost:
            index = self.waiting[0]
            if self.running and any(self.strikes[each] for each in (index, *self.running.values())):
                return
            if self.opened is None:
                self.opened = self.pool()
            try:
                with deaf():
                    self.running[self.opened.submit(work, units[index])] = index
            except BrokenExecutor:
                self.lost.add(index)
            self.waiting.popleft()

    def settle(self, finished: Collection[Future[Any]], done: Callable[[int, Any], None]) -> None:
        """Tell what is finished; once a broken executor holds nothing more, close it and put what it lost back."""
        for future in [future for future in self.running if future in finished]:
            index = self.running.pop(future)
            try:
                found = _result(future)
            except (BrokenExecutor, CancelledError):
                self.lost.add(index)
            else:
                done(index, found)
        if not self.lost or self.running:
            return
        self.close()
        self.strikes.update(self.lost)
        for index in sorted(self.lost):
            if self.strikes[index] < STRIKES:
                self.waiting.append(index)
            else:
                done(index, StudyError("its process died again and again, perhaps for lack of memory"))
        self.lost.clear()

    def close(self) -> None:
        """Shut the executor."""
        if self.opened is not None:
            self.opened.shutdown()
            self.opened = None

    def abandon(self) -> None:
        """Let go of the executor, whatever it is doing."""
        for future in self.running:
            future.cancel()
        if self.opened is not None:
            self.opened.shutdown(wait=False)


@contextmanager
def _closing(lines: Sequence[_Line]) -> Iterator[None]:
    """Executors are shut at the end; when the block is left by an error, no process that it started stays behind."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for line in lines:
            line.abandon()
        _end(set(multiprocessing.active_children()) - before)
        raise
    for line in lines:
        line.close()


def _end(children: Collection[BaseProcess]) -> None:
    """Ask processes to end; those that have not after a second are killed."""
    for child in children:
        child.terminate()
    end = monotonic() + GRACE_SECONDS
    for child in children:
        child.join(max(0.0, end - monotonic()))
        if child.is_alive():
            child.kill()


def _serially(
    work: Callable[[U], T],
    units: Sequence[U],
    told: Callable[[int], None],
    done: Callable[[int, T | Exception], None],
) -> None:
    """One unit after the other, here; work speaks English, as it does in a process of its own: its errors are kept."""
    language = spoken()

    def here(steps: int) -> None:
        with speaking(language):
            told(steps)

    with heard(here):
        for index, unit in enumerate(units):
            with speaking(ENGLISH):
                found = _result(SerialExecutor().submit(work, unit))
            done(index, found)


@contextmanager
def deaf() -> Iterator[None]:
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
    except (BrokenExecutor, CancelledError):
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

    _REPORT.set(add)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers; they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
