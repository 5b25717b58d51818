"""Shares and gifts moving over the friendship graph, of one strategy in one world."""

from urllib.parse import urlencode

import numpy as np
from nicegui import ui

from sim.web.window import Window, button, named, say
from sim.words import _


class Choice:
    """Which run is looked at: a strategy and a world that is finished."""

    def __init__(self, window: Window, strategy: str, word: str) -> None:
        self._window = window
        self.strategy = ui.select(_strategies(window), value=strategy, label=word)
        self.strategy.props("outlined dense options-dense")

    @property
    def number(self) -> int:
        """The position of the strategy."""
        return list(self.strategy.options).index(self.strategy.value)


class Network:
    """A frame with the page of `wxsim report RUN --diffusion`."""

    def __init__(self, window: Window) -> None:
        self._window = window
        lesson = window.lesson
        say(
            "p",
            _("Friends stand near each other; shares and gifts move as they did. Making it takes some seconds."),
            "soft",
        )
        with ui.element("div").classes("row wrap"):
            self._choice = Choice(window, first_other(window), _("Strategy"))
            self._world = world(window)
            button(_("Show the network"), window.does(self._show), "primary")
        self._making = say("p", _("The network is being made ..."), "soft").props('role="status"')
        self._making.set_visibility(False)
        self._frame = named(ui.element("iframe").classes("frame"), _("Network of {title}", title=lesson.scenario.title))
        self._frame.props["id"] = "wx-frame"
        self._frame.on("load", window.does(self._made), [], js_handler="() => { wxsim.framed(); emit(); }")
        self._frame.set_visibility(False)

    async def follow(self) -> None:
        """Offer the worlds that are finished."""
        offer(self._world, worlds(self._window))

    def _show(self) -> None:
        asked = {"strategy": self._choice.number, "world": self._world.value, "language": self._window.language}
        self._frame.props["src"] = f"/wx/network?{urlencode(asked)}"
        self._making.set_visibility(True)
        self._frame.set_visibility(True)
        self._frame.update()

    def _made(self) -> None:
        self._making.set_visibility(False)


def first_other(window: Window) -> str:
    """The first strategy that ran beside the baseline."""
    found = window.lesson.found
    names = [name for name in (found.strategies if found else ()) if name != window.lesson.baseline]
    return names[0] if names else window.lesson.baseline


def world(window: Window) -> ui.select:
    """A field for one of the worlds that are finished."""
    options = worlds(window)
    made = ui.select(options, value=next(iter(options), None), label=_("World"))
    return made.props("outlined dense options-dense")


def worlds(window: Window) -> dict[int, str]:
    """The worlds that every strategy has finished."""
    found = window.lesson.found
    if found is None:
        return {}
    done = np.logical_and.reduce([found.done[name] for name in found.strategies])
    return {at: _("world {number}", number=at + 1) for at in np.flatnonzero(done).tolist()} or {
        0: _("world {number}", number=1)
    }


def offer(field: ui.select, options: dict[int, str]) -> None:
    """Let a field offer other options, its value kept if it is one of them."""
    if options and options != field.options:
        field.set_options(options, value=field.value if field.value in options else next(iter(options)))


def _strategies(window: Window) -> list[str]:
    found = window.lesson.found
    return list(found.strategies) if found else []
