"""Where a run's time goes: seconds by phase and mechanism, and by what the engine itself does in between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from sim.contract import HOOKS, PHASES
from sim.engine.engine import Engine
from sim.words import _, marked
from sim.words.columns import left, right

ENGINE = "engine"
_PARTS = {  # what the engine does itself: attribute or method -> what it is called
    "_begin": marked("shows what is shared"),
    "_arrivals": marked("merges visits"),
    "_take": marked("takes what was asked for"),
    "_change": marked("changes the users' own rows"),
    "_end_day": marked("closes the day"),
    "_write": marked("writes the ledger"),
}


@dataclass(slots=True)
class Profile:
    """Seconds and calls by (phase, who); time spent in a part is not counted in the part that called it."""

    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    _inner: list[float] = field(default_factory=lambda: [0.0])  # time taken by parts of each part that is open

    def watch(self, engine: Engine) -> Callable[[], None]:
        """Time every hook and every part of an engine from now on; see `watch` of `sim.run.run`."""
        crew = engine.crew
        for mechanism in crew.mechanisms:
            who = f"{mechanism.folder}.{mechanism.name}"
            for hook in sorted(HOOKS | {"settle"}):
                if hook in HOOKS and hasattr(mechanism, hook) or hook == "settle" and mechanism.settles:
                    setattr(mechanism, hook, self._timed((hook, who), getattr(mechanism, hook)))
        for name, called in _PARTS.items():
            setattr(engine, name, self._timed((ENGINE, called), getattr(engine, name)))
        for owner, method, called in (
            (engine._timers, "due", marked("finds what is due")),
            (engine._timers, "add", marked("sets timers")),
            (engine._mail, "collect", marked("delivers messages")),
            (engine._mail, "post", marked("posts messages")),
            (engine._desk, "settle", marked("settles requests")),
        ):
            setattr(owner, method, self._timed((ENGINE, called), getattr(owner, method)))
        engine.advance = self._timed((ENGINE, marked("the rest")), engine.advance)  # type: ignore[method-assign]
        return lambda: None

    def _timed(self, at: tuple[str, str], act: Callable[..., Any]) -> Callable[..., Any]:
        inner = self._inner
        self.seconds.setdefault(at, 0.0)
        self.calls.setdefault(at, 0)

        def timed(*args: Any, **options: Any) -> Any:
            inner.append(0.0)
            start = perf_counter()
            try:
                return act(*args, **options)
            finally:
                took = perf_counter() - start
                self.seconds[at] += took - inner.pop()
                self.calls[at] += 1
                inner[-1] += took

        return timed

    def rows(self) -> list[tuple[str, str, float, int]]:
        """(phase, who, seconds, calls), phases in their order, the dearest first within each."""
        order = {phase: place for place, phase in enumerate(("plan", *PHASES, "agenda", ENGINE))}
        rows = [(phase, who, seconds, self.calls[phase, who]) for (phase, who), seconds in self.seconds.items()]
        return sorted(rows, key=lambda row: (order[row[0]], -row[2]))

    def __str__(self) -> str:
        rows = [row for row in self.rows() if row[3]]
        total = sum(row[2] for row in rows) or 1.0
        by_phase: dict[str, float] = {}
        for phase, _who, seconds, _calls in rows:
            by_phase[phase] = by_phase.get(phase, 0.0) + seconds
        head = (left(_("phase"), 10), left(_("mechanism"), 28))
        lines = [" ".join([*head, right(_("seconds"), 9), right(_("share"), 7), right(_("calls"), 9)])]
        for phase, whole in by_phase.items():
            lines.append(f"{phase:<10} {'':<28} {whole:>9.3f} {whole / total:>7.1%}")
            lines += [
                f"{'':<10} {left(_(who), 28)} {seconds:>9.3f} {seconds / total:>7.1%} {calls:>9,}"
                for of, who, seconds, calls in rows
                if of == phase
            ]
        return "\n".join([*lines, f"{left(_('total'), 39)} {total:>9.3f}"])
