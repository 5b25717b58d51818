"""The page: its address, what it loads, and the parts that it is put together from."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from nicegui import ui

from sim.errors import RunStopped, WxsimError
from sim.report import diffusion, material
from sim.report.page import asset, plotly
from sim.web.lesson import Lesson
from sim.web.parts.changing import Changing
from sim.web.parts.head import Head
from sim.web.parts.predicting import Predicting
from sim.web.parts.running import Running
from sim.web.parts.showing import Showing
from sim.web.walk import cell_of
from sim.web.window import EVERY, Window, say
from sim.words import _, languages, speaking

TEMPLATES = Path(__file__).parent / "templates"
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0550ae"/>'
    '<path d="M6 21l6-8 5 5 9-11" fill="none" stroke="#fff" stroke-width="3.2" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)
_HEAD = """<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/wx/page.css">
<script src="/wx/plotly.js"></script><script src="/wx/figures.js"></script><script src="/wx/serve.js"></script>"""


def routes(app: FastAPI, lesson: Lesson, language: str) -> None:
    """Everything that the page asks for."""
    files = {
        "plotly.js": (plotly(), "text/javascript"),
        "figures.js": (asset("figures.js"), "text/javascript"),
        "serve.js": ((TEMPLATES / "serve.js").read_text("utf-8"), "text/javascript"),
        "page.css": (style(), "text/css"),
    }

    @app.get("/wx/network")
    def network(strategy: int, world: int, language: str) -> Response:
        return _network(lesson, strategy, world, language)

    @app.get("/wx/{name}")
    def file(name: str) -> Response:
        if name not in files:
            return Response(status_code=404)
        text, kind = files[name]
        return Response(text, media_type=kind, headers={"cache-control": "no-cache"})

    @ui.page("/", title=f"{lesson.scenario.title} · wxsim", response_timeout=20.0)
    def page() -> None:
        build(Window(lesson, language))


def build(window: Window) -> None:
    """The page in one window."""
    ui.add_head_html(_HEAD)
    ui.colors(primary="#0550ae", accent="#0550ae")
    root = ui.element("div").classes("wx")

    def again() -> None:
        window.parts.clear()
        root.clear()
        with root, speaking(window.language):
            _parts(window, again)
        ui.run_javascript(f"wxsim.begin({window.language!r})")

    again()
    ui.timer(EVERY, window.follow)


def _parts(window: Window, again: Any) -> None:
    skip = say("a", _("To the result"), "skip")
    skip.props["href"] = "#wx-main"
    window.parts.append(Head(window, again))
    with ui.element("div").classes("body"):
        window.parts.append(Changing(window))
        with ui.element("div").classes("main"):
            window.parts.append(Predicting(window))
            window.parts.append(Running(window))
            window.parts.append(Showing(window))
    say("footer", _("On this machine only; nothing is sent anywhere. All windows show the same."), "soft")


def style() -> str:
    """Our style; that of the report for the pieces of it, and its colours for everything."""
    of_report = asset("page.css")
    colours = of_report[: of_report.index("* {")]
    own = (TEMPLATES / "serve.css").read_text("utf-8")
    return f"{colours}\n@scope (.paper) {{\n{of_report}\n}}\n{own}"


def _network(lesson: Lesson, strategy: int, world: int, language: str) -> Response:
    """The network of a run, made in another process; whoever waits for it here is no event loop."""
    found = lesson.found
    try:
        if found is None or lesson.hidden or language not in languages():
            return Response(status_code=404)
        cell = cell_of(material.of(found).cells, found.strategies[strategy], world)
        return HTMLResponse(lesson.apart.make(language, diffusion.html, cell.folder))
    except (IndexError, OSError, RunStopped, WxsimError):
        return Response(_("It cannot be shown now; try again when the run is finished."), status_code=404)
