"""A window: somebody's view of the lesson, in her language. Its parts look by themselves for what changed."""

import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from nicegui import context, ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from sim.errors import WxsimError
from sim.web.lesson import Lesson
from sim.web.result import Piece
from sim.words import speaking

EVERY = 0.25  # seconds between looks at what changed


class Part(Protocol):
    """A part of the page. It builds its elements when it is made, and again looks after them in `follow`."""

    async def follow(self) -> None:
        """Show what changed since."""


class Window:
    """One client of the page."""

    def __init__(self, lesson: Lesson, language: str) -> None:
        self.lesson = lesson
        self.language = language
        self.client = context.client
        self.parts: list[Part] = []
        self._following = False

    def hears(self, act: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A handler of events that speaks the window's language, and says what is refused."""

        async def heard(event: Any) -> None:
            with self.client, speaking(self.language):  # what was pressed may be gone by the end
                try:
                    done = act(event)
                    if inspect.isawaitable(done):
                        await done
                except WxsimError as error:
                    self.complain(str(error))
            await self.follow()

        return heard

    def does(self, act: Callable[..., Any], *given: Any) -> Callable[[Any], Any]:
        """A handler that does something, whatever the event says."""
        return self.hears(lambda event: act(*given))

    async def follow(self) -> None:
        """Let every part show what changed."""
        if self._following:
            return
        self._following = True
        try:
            with self.client, speaking(self.language):
                for part in self.parts:
                    with suppress(WxsimError, OSError):  # ledgers that move or go while they are read; the next look
                        await part.follow()
        finally:
            self._following = False

    def complain(self, text: str) -> None:
        """Say what cannot be done."""
        ui.notify(text, type="warning", multi_line=True, close_button="✕", timeout=12_000)

    def show(self, place: str, piece: Piece | None) -> None:
        """Put a piece where it belongs, and draw its figures; what was opened in it stays open."""
        content = {"html": "", "figures": {}, "strategies": []}
        if piece is not None:
            content = {"html": piece.html, "figures": dict(piece.figures), "strategies": list(piece.strategies)}
        ui.run_javascript(f"wxsim.show({json.dumps(place)}, {json.dumps(content)})")

    def put(self, place: str, html: str) -> None:
        """Put HTML without figures where it belongs."""
        self.show(place, Piece(html, {}, ()))


def say(tag: str, text: str = "", classes: str = "") -> TextElement:
    """An element with a text."""
    return TextElement(tag=tag, text=text).classes(classes)


E = TypeVar("E", bound=Element)


def named(element: E, name: str) -> E:
    """The element with a name for who does not see it."""
    element.props["aria-label"] = name
    return element


def button(text: str, act: Callable[[Any], Any], classes: str = "") -> ui.button:
    """A button."""
    made = ui.button(text, color=None).props("unelevated no-caps").classes(f"btn {classes}")
    made.on("click", act, [])
    return made
