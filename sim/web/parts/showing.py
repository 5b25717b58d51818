"""What came out, a view at a time: strategies side by side, days, channels, money, the network, one person."""

import asyncio
from collections.abc import Mapping

from nicegui import ui

from sim.web.parts.keeping import Keeping
from sim.web.parts.network import Network
from sim.web.parts.person import Person
from sim.web.window import Window, button, say
from sim.words import _, marked

VIEWS: Mapping[str, str] = {
    "result": marked("Result"),
    "daily": marked("Day by day"),
    "channels": marked("By channel"),
    "money": marked("Money"),
    "network": marked("Network"),
    "person": marked("One person"),
}
PLACE = "wx-piece"


class Showing:
    """The views, of which one is shown; each is made when it is looked at."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._view = "result"
        self._shown: object = None
        self._inner: Network | Person | None = None
        with ui.element("main").classes("show").props('id="wx-main" tabindex=-1'):
            say("h2", _("What came out"), "unseen")
            self._stale = say("p", "", "note").props('role="status"')
            with ui.tabs().props("no-caps dense align=left outside-arrows mobile-arrows") as tabs:
                for name, word in VIEWS.items():
                    ui.tab(name, _(word)).props('aria-controls="wx-view"')
            tabs.set_value(self._view)
            tabs.on_value_change(window.hears(lambda event: self._turn(event.value)))
            with ui.element("div").props('id="wx-view" role="tabpanel"').classes("view"):
                self._waiting = ui.element("div").classes("waiting")
                ui.element("div").classes("paper").props(f'id="{PLACE}"')
                self._body = ui.element("div")
            if not window.lesson.read_only:
                Keeping(window)

    async def follow(self) -> None:
        """Show the view that is chosen as it is now."""
        lesson = self._window.lesson
        self._stale.set_visibility(lesson.stale and lesson.found is not None and not lesson.hidden)
        if lesson.stale:
            self._stale.text = _("These numbers are of an earlier setting. Run again to see what the levers do now.")
        state = (lesson.version(), self._view, lesson.versions["predictions"], self._window.language)
        if state != self._shown:
            await self._show()
            self._shown = state
        if self._inner is not None:
            await self._inner.follow()

    def _turn(self, view: str) -> None:
        self._view, self._inner = view, None
        self._body.clear()
        self._window.put(PLACE, f'<p class="soft" role="status">{_("Reading the ledgers ...")}</p>')

    async def _show(self) -> None:
        lesson, view = self._window.lesson, self._view
        empty = lesson.found is None or lesson.hidden
        self._wait(empty)
        if empty or lesson.seen is None:
            self._inner = None
            self._body.clear()
            self._window.show(PLACE, None)
        elif view in ("network", "person"):
            self._window.show(PLACE, None)
            if self._inner is None:
                with self._body:
                    self._inner = Network(self._window) if view == "network" else Person(self._window)
        elif view == "result":
            self._window.show(PLACE, await asyncio.to_thread(lesson.seen.compared, list(lesson.predictions)))
        else:
            self._window.show(PLACE, await asyncio.to_thread(lesson.seen.section, view, _(VIEWS[view])))

    def _wait(self, empty: bool) -> None:
        """What stands there while there is nothing to see."""
        lesson = self._window.lesson
        self._waiting.clear()
        self._waiting.set_visibility(empty)
        with self._waiting:
            if lesson.found is not None and lesson.hidden:
                say("p", _("The result is kept back. Predict, then reveal it."), "lead")
                button(_("Reveal the result"), self._window.does(lesson.reveal), "primary")
            elif lesson.busy:
                say("p", _("The first world is being simulated."), "lead")
            else:
                say("p", _("Choose what to change, predict what it does, then press Run."), "lead")
                say(
                    "p", _("All strategies run in the same worlds with the same luck, so a difference is a difference.")
                )
