"""Work away from the page: a comparison that tells of every run, and pages that take seconds to make."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from time import monotonic
from typing import Any

from sim.config.model import Scenario
from sim.errors import RunStopped
from sim.study import executor
from sim.study.compare import ComparisonInterrupted, compare
from sim.study.comparison import Comparison
from sim.study.plan import spent
from sim.words import speaking


class Running:
    """A comparison under way in processes of its own. What it found so far may be read at any time."""

    def __init__(self, scenario: Scenario, seeds: int, out: Path) -> None:
        self.found: Comparison | None = None
        self.error = ""
        self.cancelled = False
        self.done, self.all = 0, 1  # simulated days
        self.version = 0  # goes up with everything that changes
        self._seeds, self._users = seeds, scenario.world.people.count
        self._folder = out
        self._begun = monotonic()
        self._ended: float | None = None
        self._thread = Thread(target=self._run, args=(scenario, seeds), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive() and self._ended is None

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return (monotonic() if self._ended is None else self._ended) - self._begun

    @property
    def left(self) -> float | None:
        """Seconds that it will still take, if all goes on like this; None while that is not known."""
        share = spent(self._seeds, self._users, self.done / self.all)
        return self.seconds * (1.0 - share) / share if share else None

    def cancel(self) -> None:
        """End it; what is found is kept."""
        self.cancelled = True

    def close(self) -> None:
        """End it, wait until its processes are gone, and remove what it wrote."""
        self.cancel()
        self._thread.join(2 * executor.GRACE_SECONDS)
        for place in self._folder.parent.glob(f"{self._folder.name}*"):
            shutil.rmtree(place, ignore_errors=True)

    def _run(self, scenario: Scenario, seeds: int) -> None:
        try:
            self._arrived(
                compare(scenario, replications=seeds, out=self._folder, progress=self._told, arrived=self._arrived)
            )
        except ComparisonInterrupted as interrupted:
            if interrupted.comparison is not None:
                self._arrived(interrupted.comparison)
        except Exception as error:
            self.error = executor.said(error)
        finally:
            self._ended = monotonic()
            self.version += 1

    def _arrived(self, found: Comparison) -> None:
        self.found = found
        self.version += 1

    def _told(self, done: int, all_: int) -> None:
        if self.cancelled:
            raise RunStopped
        self.done, self.all = done, all_


class Apart:
    """Something that is made in a process of its own, one at a time, so that the page never waits for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed = False

    def make(self, language: str, function: Callable[..., Any], *given: Any) -> Any:
        """What the function returns, made in another process in this language. Its errors are raised here."""
        out: list[Any] = []
        with self._lock, suppress(RunStopped):
            executor.stream(
                _spoken,
                [(language, function, given)],
                done=lambda at, found: out.append(found),
                told=self._told,
                apart=True,
            )
        if not out:
            raise RunStopped
        if isinstance(out[0], Exception):
            raise out[0]
        return out[0]

    def close(self) -> None:
        """End what is being made."""
        self._closed = True

    def _told(self, steps: int) -> None:
        if self._closed:
            raise RunStopped


def _spoken(asked: tuple[str, Callable[..., Any], tuple[Any, ...]]) -> Any:
    language, function, given = asked
    with speaking(language):
        return function(*given)
