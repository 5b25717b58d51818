"""One user's week step by step, with what led to each step, beside the same week under another strategy."""

import asyncio
from typing import Any

from nicegui import ui

from sim.errors import StudyError
from sim.report import material
from sim.web import walk
from sim.web.parts.network import Choice, first_other, offer, world, worlds
from sim.web.window import Window, button, say
from sim.words import _

PLACE = "wx-walk"


class Person:
    """Pick somebody, then go step by step."""

    def __init__(self, window: Window) -> None:
        self._window, self._at = window, 0
        self._walk: walk.Walk | None = None
        say("p", _("The same person, in the same world with the same luck, under two strategies."), "soft")
        with ui.element("div").classes("row wrap"):
            self._one = Choice(window, window.lesson.baseline, _("Strategy"))
            self._other = Choice(window, first_other(window), _("Beside it"))
            self._world = world(window)
            self._user = ui.number(_("User"), value=None, min=0, step=1, precision=0).props("outlined dense")
            self._user.classes("user")
            button(_("Tell her week"), window.does(self._tell), "primary")
        self._named = ui.element("div").classes("row wrap suggested")
        with ui.element("div").classes("row wrap steps") as self._steps:
            self._before = button(_("Week before"), window.does(self._week, -1), "quiet")
            self._back = button(_("Step back"), window.does(self._step, -1))
            self._next = button(_("Next step"), window.does(self._step, 1), "primary")
            self._after = button(_("Week after"), window.does(self._week, 1), "quiet")
        self._steps.set_visibility(False)
        ui.element("div").classes("paper").props(f'id="{PLACE}"')
        self._suggested: object = None

    async def follow(self) -> None:
        """Offer the worlds that are finished, and people of the one that is chosen."""
        offer(self._world, worlds(self._window))
        asked = (self._one.strategy.value, self._world.value)
        if asked != self._suggested and self._world.value is not None:
            people = await asyncio.to_thread(walk.named, self._cell(self._one))
            self._suggested = asked
            self._named.clear()
            with self._named:
                say("span", _("Somebody who"), "soft")
                for what, user in people:
                    said = _("{did}: user {number}", did=_(what), number=user)
                    button(said, self._window.does(self._tell, user), "chip")

    async def _tell(self, user: int | None = None, week: int | None = None) -> None:
        if user is not None:
            self._user.value = user
        if self._user.value is None:
            raise StudyError(_("pick somebody, or give the number of a user"))
        cells = [self._cell(self._one), self._cell(self._other)]
        self._walk = await asyncio.to_thread(walk.walk, cells, int(self._user.value), week)
        self._at = 0
        self._steps.set_visibility(True)
        self._show()

    async def _week(self, by: int) -> None:
        if self._walk is not None:
            await self._tell(week=self._walk.week + by)

    def _step(self, by: int) -> None:
        if self._walk is not None:
            self._at = min(max(0, self._at + by), max(0, len(self._walk.moments) - 1))
            self._show()

    def _show(self) -> None:
        found = self._walk
        if found is None:
            return
        self._back.set_enabled(self._at > 0)
        self._next.set_enabled(self._at < len(found.moments) - 1)
        self._before.set_enabled(found.week > 0)
        self._after.set_enabled(found.week < found.weeks - 1)
        self._window.put(PLACE, walk.html(found, self._at))

    def _cell(self, choice: Choice) -> Any:
        found = self._window.lesson.found
        if found is None or self._world.value is None:
            raise StudyError(_("nothing is finished yet"))
        return walk.cell_of(material.of(found).cells, str(choice.strategy.value), int(self._world.value))
