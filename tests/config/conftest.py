from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from sim import catalog
from sim.config import schema
from sim.config.load import load
from sim.config.model import MerchantConfig, Scenario
from sim.contract import Mechanism
from sim.errors import Fault, ScenarioError
from sim.params import Params, param

HEAD = """\
title: t
horizon: {start: 2025-01-06, days: 10}
merchants: {tea: {products: {green: {}}}}
"""  # three lines; what a test adds begins on line 4


class BrowseParams(Params):
    opens: float = param(0.3, "days with a session", unit="share", ge=0, le=1)
    shares: tuple[float, float] = param((0.5, 0.5), "shares", unit="share")


class RulesParams(Params):
    since: date = param(date(2024, 12, 18), "first day", unit="date")
    folding: bool = param(True, "whether broadcasts are folded", unit="yes or no")
    swap: Literal["none", "same_price"] = param("none", "what may be swapped", unit="name")


class StoreParams(Params):
    follow_prompt: float = param(0.1, "chance to follow", unit="share", ge=0, le=1)


class CouponParams(Params):
    percent: int = param(10, "off the price", unit="percent", ge=1, le=90)
    days: tuple[int, ...] = param((1, 8), "days of the month", unit="days")
    by_category: dict[str, float] = param(dict, "other shares", unit="share")


class Plain(Params):
    pieces: int = param(5, "pieces", unit="pieces", ge=0)


KNOWN = {
    "channels.articles": Plain,
    "channels.store": StoreParams,
    "offers.coupon": CouponParams,
    "operations.after_sale": Plain,
    "operations.finance": Plain,
    "operations.inventory": Plain,
    "operations.staff": Plain,
    "people.browse": BrowseParams,
    "people.buy": Plain,
    "platform.rules": RulesParams,
}


def _mechanism(key: str, params: type[Params]) -> type[Mechanism]:
    folder, name = key.split(".")
    return type(name, (Mechanism,), {"folder": folder, "name": name, "Params": params})


def _rebuild() -> None:
    MerchantConfig.model_rebuild(force=True)
    Scenario.model_rebuild(force=True)
    schema._full.cache_clear()


@pytest.fixture(scope="module")
def small_catalog() -> Iterator[dict[str, type[Mechanism]]]:
    """A catalogue of ten mechanisms that no change elsewhere can move."""
    mechanisms = {key: _mechanism(key, params) for key, params in KNOWN.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "mechanisms", lambda: mechanisms)
        _rebuild()
        yield mechanisms
    _rebuild()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a scenario file below a fresh folder."""

    def _write(text: str | bytes, name: str = "scenario.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


@pytest.fixture
def faults(write: Callable[..., Path]) -> Callable[..., list[Fault]]:
    """The faults of a text; none if it loads."""

    def _faults(text: str | bytes, **options: Any) -> list[Fault]:
        try:
            load(write(text), **options)
        except ScenarioError as error:
            return list(error.faults)
        return []

    return _faults


@pytest.fixture
def scenario(write: Callable[..., Path]) -> Callable[..., Scenario]:
    """The scenario of the usual three lines and what a test adds from line 4 on."""

    def _scenario(more: str = "", **options: Any) -> Scenario:
        return load(write(HEAD + more), **options)

    return _scenario


@pytest.fixture
def head() -> str:
    """Three valid lines: title, horizon, one merchant `tea` with one product `green`."""
    return HEAD
