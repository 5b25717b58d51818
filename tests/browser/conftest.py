"""Pages in a real browser: Chromium by Playwright, without any network. `make browser` runs them; see its comment."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.report.town import compared
from tests.study.made import study

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None or importlib.util.find_spec("playwright") is None:
    collect_ignore_glob = ["test_*.py"]  # what cannot run is not collected: `make browser` fails if nothing is


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison with its report, a run in it with its diffusion, a study over three axes; pages made in Chinese."""
    from sim.cli.reporting import page
    from sim.words import speaking

    found = compared(tmp_path_factory.mktemp("town")).folder
    axes = {"hours": (6, 24, 72), "chance": (0.2, 0.8), "who": ("all", "friends")}
    points = [dict(zip(axes, at, strict=True)) for at in product(*axes.values())]
    study(
        found / "study", points, lambda point, name, seed: (name == "gifts") * point["hours"] * point["chance"] + seed
    )
    for place, moving in ((found, False), (found / "runs" / "as-it-is" / "seed-0", True), (found / "study", False)):
        page(place, quiet=True, diffusion=moving)
    with speaking("zh"):
        page(found, found / "chinese.html", quiet=True)
    return found


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept."""
    place = Path(os.environ.get("PICTURES", "build/pictures"))
    place.mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def closed(browser: Any) -> Iterator[None]:
    """Closes what a test opened: pages that go on drawing would slow down all after them."""
    yield
    for context in browser.contexts:
        context.close()
