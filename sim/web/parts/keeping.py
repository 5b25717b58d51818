"""Take it along: the changed scenario as a file, and the report of what came out."""

import asyncio
from pathlib import Path

from nicegui import ui

from sim.errors import StudyError
from sim.study.folder import slugs
from sim.web import setting
from sim.web.result import report
from sim.web.window import Window, button, say
from sim.words import _


class Keeping:
    """Two downloads."""

    def __init__(self, window: Window) -> None:
        self._window = window
        with ui.element("section").classes("keep").props('aria-labelledby="wx-keep"'):
            say("h2", _("Take it along")).props('id="wx-keep"')
            with ui.element("div").classes("row wrap"):
                button(_("Scenario as a file"), window.does(self._scenario))
                self._report = button(_("Report to forward"), window.does(self._page))
            say("p", _("wxsim compare FILE gives the same numbers; the report needs no network."), "soft")

    def _scenario(self) -> None:
        lesson = self._window.lesson
        lesson.made()  # what is handed out can be run
        name = next(iter(slugs([Path(lesson.setting.source).stem]).values()))
        ui.download.content(setting.text(lesson.setting), f"{name}-changed.yaml", "application/yaml")

    async def _page(self) -> None:
        lesson = self._window.lesson
        if lesson.busy or lesson.found is None or lesson.hidden:
            raise StudyError(_("the report can be had when a run is finished and revealed"))
        ui.notify(_("The report is being made; some seconds."), timeout=4000)
        self._report.disable()
        try:
            made = await asyncio.to_thread(lesson.apart.make, self._window.language, report, lesson.found.folder)
        finally:
            self._report.enable()
        ui.download.content(made, "report.html", "text/html")
