"""Nobody but this machine's own browser, on this very page, is let in."""

import asyncio
from typing import Any

import pytest

from sim.errors import StudyError
from sim.web.server import HOST, Guard, listening


def answer(kind: str, **headers: str) -> list[dict[str, Any]]:
    """What the guard sends, before an app that says 200 to everything."""
    sent: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"server", b"x")]})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(Guard(app, 8080)({"type": kind, "headers": named}, None, send))  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080"])
def test_this_machine_is_let_in(host: str) -> None:
    (found,) = answer("http", host=host, origin=f"http://{host}")
    headers = dict(found["headers"])
    assert found["status"] == 200
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert b"server" not in headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"host": "evil.example:8080"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1:9"},
        {"host": "127.0.0.1:8080", "origin": "http://evil.example"},
        {"host": "127.0.0.1:8080", "origin": "https://127.0.0.1:8080"},
        {"host": "127.0.0.1:8080", "origin": "null"},
    ],
)
def test_others_are_refused(headers: dict[str, str]) -> None:
    assert answer("http", **headers)[0]["status"] == 421
    assert answer("websocket", **headers) == [{"type": "websocket.close", "code": 1008}]


def test_a_port_that_is_taken_is_told_and_a_free_one_is_found() -> None:
    with listening(None) as one, listening(None) as other:
        assert one.getsockname()[0] == other.getsockname()[0] == HOST
        assert one.getsockname()[1] != other.getsockname()[1]
        with pytest.raises(StudyError, match="leave out --port"):
            listening(one.getsockname()[1])
