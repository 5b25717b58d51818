"""The page of `wxsim serve` in Chromium: pick, change, run, compare, download, predict, by keyboard alone."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.config.load import load
from sim.study.comparison import heading
from sim.words import _, own_name, several, speaking, told
from tests.report.town import BASE, CHEAPER, DEAR, TEXT, TITLE

pytestmark = pytest.mark.browser

WIDTHS, THEMES, LANGUAGES = (1280, 390), ("light", "dark"), ("en", "zh")
VIEWS = ("Result", "Day by day", "By channel", "Money", "Network", "One person")
LONG = 120_000
Start = Callable[..., str]
Window = Callable[..., "Visit"]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a server in a folder of its own; its address. At the end Ctrl-C ends it, and nothing is left."""
    begun: list[tuple[subprocess.Popen[str], Path]] = []

    def serve(*options: str) -> str:
        place = tmp_path_factory.mktemp("serve")
        (place / "town.yaml").write_text(TEXT, "utf-8")
        (place / "tmp").mkdir()
        command = [sys.executable, "-m", "sim.cli", "--lang", "en", "serve", *options]
        environment = {
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(place / "tmp"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        server = subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True)
        begun.append((server, place))
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert found is not None
        return found[0]

    yield serve
    for server, place in begun:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
        assert [path.name for path in place.iterdir() if path.name != "tmp"] == ["town.yaml"]
        assert list((place / "tmp").glob("wxsim-*")) == []


@pytest.fixture(scope="module")
def town(start: Start) -> str:
    return start("town.yaml")


@pytest.fixture
def window(browser: Any) -> Iterator[Window]:
    """Opens windows, and closes them at the end: there must have been no fault in any."""
    opened: list[Visit] = []

    def visit(*given: Any, **named: Any) -> Visit:
        opened.append(Visit(browser, *given, **named))
        return opened[-1]

    yield visit
    for each in opened:
        each.page.context.close()
        assert each.faults == []


class Visit:
    """The page in a window; `faults` are console errors, exceptions, dialogs, and requests to another host."""

    def __init__(
        self, browser: Any, address: str, width: int = 1280, theme: str = "light", language: str = "en"
    ) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, accept_downloads=True
        )
        context.set_default_timeout(LONG)
        self.language = language
        self.page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append("a dialog"), dialog.dismiss()))
        self.page.on(
            "request",
            lambda r: self.faults.append(r.url) if not r.url.startswith((address, "blob:", "data:")) else None,
        )
        self.page.goto(address)
        if language != "en":
            self.page.get_by_role("button", name=own_name(language), exact=True).click()
        self.page.wait_for_function(f"document.documentElement.lang === {language!r}")
        self.page.get_by_role("button", name=self.say("Run"), exact=True).wait_for()

    def say(self, text: str, **values: object) -> str:
        with speaking(self.language):
            return _(text, **values)

    def press(self, text: str) -> None:
        self.page.get_by_role("button", name=self.say(text), exact=True).click()

    def field(self, text: str) -> Any:
        return self.page.get_by_label(self.say(text), exact=True)

    def size(self, **sizes: int) -> None:
        for name, value in sizes.items():
            self.field(name.capitalize()).fill(str(value))
            self.field(name.capitalize()).press("Tab")
        self.page.wait_for_timeout(700)

    def run(self) -> None:
        """Run until it is done."""
        self.press("Run")
        self.page.get_by_role("button", name=self.say("Cancel"), exact=True).wait_for()
        self.page.get_by_role("button", name=self.say("Run"), exact=True).wait_for()
        self.page.wait_for_timeout(600)

    def view(self, name: str) -> None:
        """Turn to a view and wait for what is in it."""
        self.page.get_by_role("tab", name=self.say(name), exact=True).click()
        place = {"Network": ".frame", "One person": ".suggested button", "Result": ".sides"}.get(
            name, "#wx-piece figure"
        )
        self.page.locator(place).first.wait_for(state="attached")
        self.page.wait_for_timeout(400)

    def fits(self) -> bool:
        """Whether nothing sticks out to the right."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def pick(visit: Visit, title: str) -> None:
    """Choose a scenario in the field at the head."""
    visit.page.get_by_role("combobox", name=visit.say("Scenario"), exact=True).click()
    visit.page.get_by_role("option", name=title, exact=True).click()
    visit.page.wait_for_function("text => document.querySelector('h1').textContent === text", arg=title)
    visit.page.get_by_role("button", name=visit.say("Run"), exact=True).wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
def test_pick_change_run_compare_download(window: Window, start: Start, language: str, tmp_path: Path) -> None:
    visit = window(start("triangle"), language=language)
    page = visit.page
    pick(visit, visit.say(load("offline_gift").title))
    pick(visit, visit.say(load("triangle").title))
    visit.size(people=300, days=7, worlds=2)

    price = page.get_by_role("group", name=re.compile("longjing")).first
    price.get_by_role("spinbutton").fill("150")
    with speaking(language):
        page.get_by_text(several("{count} value changed", "{count} values changed", 1), exact=True).wait_for()
    visit.run()
    with speaking(language):
        assert page.locator("#wx-first").inner_text() == heading("net_gmv", told)
    rows = page.locator(".sides tbody tr")
    assert [rows.nth(at).locator("th").inner_text() for at in range(4)] == [*load("triangle").strategies]
    assert page.locator(".sides tbody tr").first.inner_text().endswith(visit.say("baseline"))

    with page.expect_download() as getting:
        visit.press("Scenario as a file")
    file = tmp_path / getting.value.suggested_filename
    getting.value.save_as(file)
    assert load(file).merchants["tea_house"].products["longjing"].price == 150
    with page.expect_download() as getting:
        visit.press("Report to forward")
    text = Path(getting.value.path()).read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert f'<html lang="{language}"' in text

    price.get_by_role("spinbutton").fill("140")
    page.get_by_text(
        visit.say("These numbers are of an earlier setting. Run again to see what the levers do now.")
    ).wait_for()
    price.get_by_role("button", name=re.compile(visit.say("Reset"))).click()
    page.wait_for_timeout(600)
    assert price.get_by_role("spinbutton").input_value() == "168"


def test_words_of_a_scenario_stay_words(window: Window, town: str) -> None:
    visit = window(town)
    assert visit.page.inner_text("h1") == TITLE
    assert visit.page.title() == f"{TITLE} · wxsim"
    visit.run()
    assert [each.inner_text() for each in visit.page.locator(".sides tbody th").all()] == [BASE, CHEAPER, DEAR]
    for name in VIEWS:
        visit.view(name)
    assert visit.page.locator("script").filter(has_text="alert(1)").count() == 0


def test_cancel_keeps_what_is_done(window: Window, town: str) -> None:
    visit = window(town)
    visit.size(days=60, worlds=40)
    visit.press("Run")
    visit.page.get_by_text(re.compile("of 40 worlds finished")).first.wait_for()
    visit.press("Cancel")
    visit.page.get_by_text(re.compile(visit.say(", cancelled"))).first.wait_for()
    assert visit.page.locator(".sides tbody tr").count() == 3
    visit.size(days=5, worlds=2)


def test_predict_then_reveal(window: Window, town: str) -> None:
    visit = window(town)
    page = visit.page
    visit.size(days=5, worlds=3)
    page.get_by_role("switch", name=visit.say("Keep the result back")).click()
    field = page.get_by_label(visit.say("{strategy}, per cent", strategy=DEAR), exact=True)
    field.fill("-100")
    page.get_by_label(visit.say("Name of the group"), exact=True).fill("<i>red</i>")
    visit.press("Add the prediction")
    page.get_by_text(re.compile("<i>red</i>")).first.wait_for()
    visit.run()
    assert page.locator(".sides").count() == 0
    assert page.get_by_text(visit.say("The result is kept back. Predict, then reveal it.")).is_visible()
    page.get_by_role("button", name=visit.say("Reveal the result"), exact=True).first.click()
    page.locator("#wx-predicted").wait_for()
    told_rows = page.locator("#wx-predicted + .scroll tbody tr")
    assert told_rows.count() == 2
    assert "<i>red</i>" in told_rows.first.inner_text()
    assert "-100 %" in told_rows.nth(1).inner_text()
    page.get_by_role("switch", name=visit.say("Keep the result back")).click()


def test_by_keyboard_alone(window: Window, town: str) -> None:
    visit = window(town)
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == visit.say("To the result")
    seen: list[str] = []
    for _step in range(90):
        page.keyboard.press("Tab")
        role, name = page.evaluate(
            "[document.activeElement.getAttribute('role') || document.activeElement.tagName,"
            " document.activeElement.getAttribute('aria-label') || document.activeElement.textContent]"
        )
        seen.append(name.strip())
        if role == "slider" and "list price" in name and "slid" not in seen:
            now = "Number(document.activeElement.getAttribute('aria-valuenow'))"
            before = page.evaluate(now)
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(500)
            assert page.evaluate(now) > before
            page.keyboard.press("ArrowLeft")
            seen.append("slid")
        if name.strip() == visit.say("Run"):
            break
    assert "slid" in seen
    assert seen[-1] == visit.say("Run")
    seen_focus = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
    assert seen_focus != "none"
    page.keyboard.press("Enter")
    page.get_by_role("button", name=visit.say("Cancel"), exact=True).wait_for()
    page.get_by_role("button", name=visit.say("Run"), exact=True).wait_for()
    page.get_by_role("tab", name=visit.say("Result"), exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#wx-piece figure").first.wait_for()
    assert page.locator("[role=status][aria-live=polite]").count() >= 1


def test_a_person_step_by_step(window: Window, town: str) -> None:
    visit = window(town)
    page = visit.page
    visit.size(days=5, worlds=2)
    visit.run()
    visit.view("One person")
    page.locator(".suggested button").first.click()
    page.locator(".now .card").first.wait_for()
    assert page.locator(".now .card").count() == 2
    first = page.locator(".now").inner_text()
    visit.press("Next step")
    page.wait_for_function("text => document.querySelector('.now').innerText !== text", arg=first)
    assert page.locator("tr[aria-current=step]").count() == 1
    visit.press("Step back")
    page.wait_for_function("text => document.querySelector('.now').innerText === text", arg=first)


def test_for_a_class(window: Window, start: Start) -> None:
    visit = window(start("town.yaml", "--read-only"))
    page = visit.page
    assert page.get_by_text(
        visit.say("For a class: scenario and levers are locked; run, predict, reveal and look.")
    ).is_visible()
    assert page.get_by_role("slider").count() == 2  # of the prediction: one for each strategy
    assert page.get_by_role("combobox").count() == 0
    assert page.get_by_role("button", name=visit.say("Scenario as a file")).count() == 0
    visit.size(worlds=10_000)
    assert visit.field("Worlds").input_value() == "16"
    visit.size(worlds=2)
    visit.run()
    assert page.locator(".sides").count() == 0
    page.get_by_role("button", name=visit.say("Reveal the result"), exact=True).first.click()
    page.locator(".sides").wait_for()
    assert "/tmp" not in page.content()
    assert "town.yaml" not in page.content()


def test_others_are_refused(town: str) -> None:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        with pytest.raises(HTTPError, match="421"):
            urlopen(Request(town, headers=headers))
    assert b"wxsim" in urlopen(town).read()


@pytest.fixture(scope="module")
def pictured(browser: Any, start: Start) -> str:
    """A server with a result to look at, and a prediction."""
    address = start("spring_festival_gifts")
    visit = Visit(browser, address)
    visit.size(people=1500, days=21, worlds=4)
    visit.run()
    visit.page.close()
    return address


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_and_is_pictured(
    window: Window, pictured: str, pictures: Path, width: int, theme: str, language: str
) -> None:
    visit = window(pictured, width, theme, language)
    page = visit.page
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    slow = (theme, language) in (("light", "en"), ("dark", "zh"))  # enough of what takes seconds
    for name in VIEWS if slow else VIEWS[:-2]:
        visit.view(name)
        if name == "Network":
            visit.press("Show the network")
            page.frame_locator(".frame").locator("#stage").wait_for()
            page.wait_for_timeout(500)
        if name == "One person":
            page.locator(".suggested button").first.click()
            page.locator(".now .card").first.wait_for()
        assert visit.fits(), name
        slug = name.lower().replace(" ", "-")
        page.add_style_tag(content=".bar { position: static !important; margin-top: 2rem; }")
        page.screenshot(path=pictures / f"serve-{slug}-{width}-{theme}-{language}.png", full_page=True)
