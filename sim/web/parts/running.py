"""Run: how large, go, how far it is, and stop."""

from functools import partial
from typing import Any

from nicegui import ui

from sim.config.model import Scenario
from sim.web.setting import Setting, fixed
from sim.web.window import Window, button, named, say
from sim.words import _, marked, several

SIZES = {"people": marked("People"), "days": marked("Days"), "seeds": marked("Worlds")}


class Running:
    """The bar at the foot of the page."""

    def __init__(self, window: Window) -> None:
        self._window, lesson = window, window.lesson
        self._said = ""
        self._sizes: dict[str, ui.number] = {}
        with named(ui.element("section").classes("bar"), _("Run")):
            with ui.element("div").classes("sizes"):
                for name, word in SIZES.items():
                    most = lesson.most[name]
                    made = ui.number(_(word), value=getattr(lesson.setting, name), min=1, max=most, step=1, precision=0)
                    made.props("outlined dense debounce=400 inputmode=numeric")
                    made.on_value_change(window.hears(partial(self._size, name)))
                    made.set_enabled(not (name == "people" and fixed(lesson.scenario)))
                    self._sizes[name] = made
            with ui.element("div").classes("progress"):
                self._bar = named(say("progress").props("max=1 value=0"), _("Progress"))
                self._text = say("span", "", "soft")
                self._live = say("span", "", "unseen").props('aria-live="polite" role="status"')
            self._run = button(_("Run"), window.does(self._go), "primary run")
            self._cancel = button(_("Cancel"), window.does(self._stop), "run")
        self._shown: object = None

    async def follow(self) -> None:
        """Show how far it is."""
        lesson = self._window.lesson
        for name, field in self._sizes.items():
            if field.value is not None and field.value != getattr(lesson.setting, name) and not field.error:
                field.value = getattr(lesson.setting, name)
        work = lesson.running
        text = self._told()
        state = (text, lesson.busy, work and (work.done, work.all))
        if state == self._shown:
            return
        self._shown = state
        self._run.set_visibility(not lesson.busy)
        self._cancel.set_visibility(lesson.busy)
        self._text.text = text
        share = work.done / work.all if work else 0.0
        self._bar.props(f"value={share:.3f}")
        self._bar.set_visibility(lesson.busy)
        aloud = text.partition("·")[0].strip()
        if aloud != self._said:
            self._said = self._live.text = aloud

    def _size(self, name: str, event: Any) -> None:
        self._window.lesson.size(name, event.value)

    def _go(self) -> None:
        self._window.lesson.run()
        ui.run_javascript("wxsim.toResult()")

    def _stop(self) -> None:
        if self._window.lesson.running is not None:
            self._window.lesson.running.cancel()

    def _told(self) -> str:
        """Where the work is, in words; how long it still takes after a dot."""
        lesson, work = self._window.lesson, self._window.lesson.running
        if work is None:
            return _nothing(lesson.setting, lesson.scenario)
        if work.error:
            return _("It failed: {error}", error=work.error)
        done = work.found.worlds(*work.found.strategies) if work.found else 0
        if not lesson.busy:
            told = several("{count} world finished", "{count} worlds finished", done)
            return told + (_(", cancelled") if work.cancelled else "")
        all_ = lesson.shown.seeds if lesson.shown else done
        told = _("{done} of {all} worlds finished", done=done, all=all_) if done else _("The first world is simulated")
        return told + (f" · {_('{time} left', time=_time(work.left))}" if work.left is not None else "")


def _nothing(setting: Setting, scenario: Scenario) -> str:
    """That nothing ran, and how large the scenario itself is, if the page begins with less."""
    asked = scenario.world.people.count, scenario.horizon.days, scenario.compare.replications if scenario.compare else 1
    if asked == (setting.people, setting.days, setting.seeds):
        return _("Nothing ran yet.")
    people, days, worlds = asked
    return _(
        "Nothing ran yet. Its author asks for {people:,} people, {days} days, {worlds} worlds.",
        people=people,
        days=days,
        worlds=worlds,
    )


def _time(seconds: float) -> str:
    whole = max(1, round(seconds))
    return _("{seconds} s", seconds=whole) if whole < 100 else _("{minutes} min", minutes=round(whole / 60))
