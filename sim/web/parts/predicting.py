"""Predict first, then reveal."""

from typing import Any

from nicegui import ui

from sim.metrics.catalog import METRICS
from sim.study.comparison import heading
from sim.web.predictions import WIDEST, Prediction
from sim.web.window import Window, button, named, say
from sim.words import _, several, told


class Predicting:
    """Who wins, and by how much: sliders for each strategy, a list of what was said, and the button that reveals."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._shown: object = None
        self._said: dict[str, float] = {}
        with ui.element("section").classes("panel predict").props('aria-labelledby="wx-predict"'):
            with ui.element("div").classes("row between"):
                say("h2", _("Predict first")).props('id="wx-predict"')
                self._switch = ui.switch(_("Keep the result back"), value=window.lesson.predict_first)
                self._switch.props("dense").on_value_change(window.hears(lambda event: self._first(bool(event.value))))
            self._body = ui.element("div")

    async def follow(self) -> None:
        """Show predictions as they are now."""
        lesson = self._window.lesson
        state = (lesson.versions["predictions"], tuple(lesson.others), lesson.predict_first, lesson.found is not None)
        if state == self._shown:
            return
        self._shown = state
        self._switch.value = lesson.predict_first
        self._body.clear()
        if lesson.predict_first:
            with self._body:
                self._build()

    def _first(self, on: bool) -> None:
        if on != self._window.lesson.predict_first:
            self._window.lesson.predicts_first(on)

    def _build(self) -> None:
        lesson, window = self._window.lesson, self._window
        metric = lesson.metric
        better = METRICS[metric].higher_is_better
        how = "" if better is None else _("higher is better") if better else _("lower is better")
        words = _("{metric} against “{baseline}”, per cent", metric=heading(metric, told), baseline=lesson.baseline)
        say("p", f"{words} ({how})" if how else words, "soft")
        self._said = dict.fromkeys(lesson.others, 0.0)
        with ui.element("div").classes("guesses"):
            for name in lesson.others:
                self._guess(name)
        with ui.element("div").classes("row wrap"):
            who = ui.input(_("Name of the group")).props("outlined dense maxlength=40").classes("who")
            button(_("Add the prediction"), window.does(lambda: self._add(who.value)))
        if lesson.predictions:
            self._list()
        if lesson.found is not None and lesson.hidden:
            button(_("Reveal the result"), window.does(self._reveal), "primary reveal")

    def _guess(self, name: str) -> None:
        with ui.element("div").classes("lever").props('role="group"'):
            with ui.element("div").classes("row between"):
                say("span", name, "name")
                field = ui.number(value=0, min=-WIDEST, max=WIDEST, step=1, suffix="%").classes("value")
                named(field.props("outlined dense"), _("{strategy}, per cent", strategy=name))
            slider = ui.slider(min=-WIDEST // 2, max=WIDEST // 2, step=1, value=0)
            named(slider.props("color=accent"), name)

        def guessed(event: Any) -> None:
            if event.value is not None:
                self._said[name] = float(event.value)
                field.value = slider.value = event.value

        field.on_value_change(self._window.hears(guessed))
        slider.on_value_change(self._window.hears(guessed))

    def _list(self) -> None:
        lesson = self._window.lesson
        better = METRICS[lesson.metric].higher_is_better
        say("h3", several("{count} prediction", "{count} predictions", len(lesson.predictions)))
        with ui.element("ul").classes("said"):
            for each in lesson.predictions:
                with ui.element("li"):
                    wins = each.winner(lesson.baseline, better)
                    values = ", ".join(f"{name} {percent:+.0f} %" for name, percent in each.percents.items())
                    say("span", f"{each.who}: {_('winner: {strategy}', strategy=wins)} ({values})")
                    remove = button("✕", self._window.does(lesson.forget, each.who), "quiet small")
                    named(remove, _("Remove the prediction of {who}", who=each.who))

    def _reveal(self) -> None:
        self._window.lesson.reveal()
        ui.run_javascript("wxsim.toResult()")

    def _add(self, who: str) -> None:
        lesson = self._window.lesson
        name = (who or "").strip() or _("Group {number}", number=len(lesson.predictions) + 1)
        lesson.predict(Prediction(name, dict(self._said)))
