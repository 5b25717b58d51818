"""The head of the page: which scenario, which language, dark or light."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from sim.web.lesson import offered
from sim.web.window import Window, button, say
from sim.words import _, languages, own_name, speaking


class Head:
    """Title and switches."""

    def __init__(self, window: Window, again: Callable[[], None]) -> None:
        self._window, self._again = window, again
        self._shown = window.lesson.versions["scenario"]
        lesson = window.lesson
        with ui.element("header").classes("head"):
            with ui.element("div").classes("brand"):
                say("span", "wxsim", "wordmark")
                with ui.element("div").classes("tools"):
                    for language in languages():
                        if language != window.language:
                            made = button(own_name(language), window.does(self._speak, language), "quiet")
                            made.props(f'lang={language} id="wx-language"')
                    turn = ui.button(_("Dark or light"), color=None).props("unelevated no-caps").classes("btn quiet")
                    turn.on("click", js_handler="() => wxsim.turn()")
            say("h1", _(lesson.scenario.title))
            if lesson.read_only:
                say("p", _("For a class: scenario and levers are locked; run, predict, reveal and look."), "soft lock")
            else:
                self._choice()
            if lesson.scenario.expectation:
                with ui.element("details").classes("more"):
                    say("summary", _("What its author expects"))
                    say("p", _(lesson.scenario.expectation.strip()))

    def _choice(self) -> None:
        lesson = self._window.lesson
        known = {name: _(title) for name, title in offered().items()}
        source = lesson.setting.source
        options = {source: _(lesson.scenario.title), **known} if source not in known else known
        ui.select(options, value=source, label=_("Scenario"), on_change=self._window.hears(self._open)).props(
            "outlined dense options-dense popup-content-class=menu"
        ).classes("scenario")

    def _open(self, event: Any) -> None:
        if event.value != self._window.lesson.setting.source:
            self._window.lesson.open(event.value)

    def _speak(self, language: str) -> None:
        self._window.language = language
        with speaking(language):
            self._again()

    async def follow(self) -> None:
        """Build everything anew where another scenario was taken up."""
        if self._shown != self._window.lesson.versions["scenario"]:
            self._again()
