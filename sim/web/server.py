"""The server of the page: on this machine only, for the browser that it was opened in, and for nobody else."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from sim.errors import StudyError
from sim.web.lesson import Lesson, offered
from sim.words import _

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
PORT = 8080
_EXTRA = "pip install 'wxsim[web]', or on a clone: make demo"
Scope = dict[str, Any]


def listening(port: int | None) -> socket.socket:
    """A socket on this machine: at the port asked for (StudyError if it is taken), else at 8080 or any free one."""
    for wanted in (PORT, 0) if port is None else (port,):
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((HOST, wanted))
        except OSError as error:
            opened.close()
            if wanted != PORT or port is not None:
                why = error.strerror
                raise StudyError(
                    _("port {port} cannot be had: {why}; leave out --port", port=wanted, why=why)
                ) from None
        else:
            opened.listen(128)
            return opened
    raise AssertionError(wanted)  # a port of 0 is any free one


class Guard:
    """Lets through what a browser asks of this very page, so that no other site can reach it by whatever name."""

    def __init__(self, app: Any, port: int) -> None:
        self.app = app
        self._hosts = frozenset(f"{name}:{port}" for name in NAMES)
        sockets = " ".join(f"ws://{host}" for host in sorted(self._hosts))
        self._policy = (
            "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {sockets}; "
            "base-uri 'self'; form-action 'none'; frame-ancestors 'self'; object-src 'none'"
        )

    def allows(self, headers: dict[bytes, bytes]) -> bool:
        """Whether a request names this host, and if it comes from a page, comes from this one."""
        host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin")
        return host in self._hosts and (
            origin is None or origin.decode("latin-1") in {f"http://{name}" for name in self._hosts}
        )

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if not self.allows(dict(scope["headers"])):
            await self._refuse(scope, send)
            return

        async def sent(message: Scope) -> None:
            if message["type"] == "http.response.start":
                headers = [(name, value) for name, value in message["headers"] if name.lower() != b"server"]
                if not any(name.lower() == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", self._policy.encode()))
                headers += [(b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, sent)

    async def _refuse(self, scope: Scope, send: Callable[..., Any]) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": b"This page is for the machine that it runs on."})


def needed() -> None:
    """StudyError with what to install if the page cannot be made."""
    for module in ("nicegui", "jinja2", "plotly.offline"):
        try:
            import_module(module)
        except ImportError:
            package = module.partition(".")[0]
            raise StudyError(_("the page needs the package {package}; {how}", package=package, how=_EXTRA)) from None


def serve(lesson: Lesson, opened: socket.socket, language: str) -> None:
    """Show the page until somebody presses Ctrl-C."""
    os.environ["NICEGUI_STORAGE_PATH"] = str(lesson.folder / "storage")
    needed()
    import uvicorn
    from fastapi import FastAPI
    from nicegui import app as own
    from nicegui import ui

    from sim.web import page

    for slow in ("scipy.special", "sim.report.diffusion"):
        import_module(slow)  # now, and not while somebody waits
    offered()
    app = FastAPI(openapi_url=None)
    page.routes(app, lesson, language)
    ui.run_with(
        app,
        title="wxsim",
        favicon=page.ICON,
        dark=None,
        show_welcome_message=False,
        tailwind=False,
        reconnect_timeout=30.0,
        binding_refresh_interval=None,
    )
    own.on_shutdown(lesson.close)
    app.add_middleware(Guard, port=opened.getsockname()[1])
    settings = uvicorn.Config(
        app, log_level="error", access_log=False, timeout_graceful_shutdown=1, server_header=False, lifespan="on"
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[opened])
