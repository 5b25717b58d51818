from pathlib import Path
from typing import Any

import pytest

from tests.report.town import BASE, TITLE

pytestmark = pytest.mark.browser

WIDTHS, THEMES, LANGUAGES = (1280, 390), ("light", "dark"), ("en", "zh")
PATIENCE = 180_000  # milliseconds, for what is drawn on a busy machine
DRAWN = "document.documentElement.dataset.drawn === document.documentElement.lang"
RUN = Path("runs") / "as-it-is" / "seed-0"


class Visit:
    """A page opened from the disk with no network; `faults` are console errors, exceptions, and requests elsewhere."""

    def __init__(self, browser: Any, file: Path, width: int = 1280, theme: str = "light", language: str = "en") -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, offline=True)
        context.set_default_timeout(PATIENCE)
        self.page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda r: self.faults.append(r.url) if not r.url.startswith("file:") else None)
        self.page.goto(file.as_uri())
        self.page.wait_for_function(DRAWN)
        if self.language != language:
            self.page.click(f".language[data-language={language}]")
            self.page.wait_for_function(DRAWN)
        assert self.language == language

    @property
    def language(self) -> str:
        return str(self.page.evaluate("document.documentElement.lang"))

    def fits(self) -> bool:
        """Whether nothing sticks out to the right."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))

    def drawn(self) -> bool:
        """Whether every figure is there."""
        return bool(
            self.page.locator("[data-figure]").count() == self.page.locator("[data-figure] .plot-container").count()
        )

    def keep(self, place: Path) -> None:
        """A picture of the whole page."""
        self.page.screenshot(path=place, full_page=True, animations="disabled", timeout=PATIENCE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_opens_offline_without_a_fault(
    browser: Any, folder: Path, pictures: Path, width: int, theme: str, language: str
) -> None:
    visit = Visit(browser, folder / "report.html", width, theme, language)
    name = f"report-{width}-{theme}-{language}"
    assert visit.drawn()
    assert visit.page.inner_text("h1") == visit.page.title() == TITLE
    assert visit.page.evaluate("document.documentElement.dataset.theme") == theme
    assert visit.page.inner_text("#found") == {"en": "What was found", "zh": "结论"}[language]
    assert visit.fits()
    visit.keep(pictures / f"{name}.png")
    visit.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert visit.fits()
    if theme == "light":
        visit.keep(pictures / f"{name}-open.png")
    assert visit.faults == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_study_opens_offline_without_a_fault(
    browser: Any, folder: Path, pictures: Path, width: int, language: str
) -> None:
    visit = Visit(browser, folder / "study" / "report.html", width, "light", language)
    assert visit.drawn() and visit.page.locator("[data-figure]").count() == 3
    assert visit.fits()
    visit.keep(pictures / f"study-{width}-{language}.png")
    assert visit.faults == []


def test_the_language_is_switched_by_keyboard_and_the_place_kept(browser: Any, folder: Path) -> None:
    visit = Visit(browser, folder / "chinese.html", language="zh")
    page = visit.page
    page.evaluate(
        "document.getElementById('n-gmv-1').open = true;"
        "document.getElementById('m-gmv').scrollIntoView({behavior: 'instant'})"
    )
    before = page.evaluate("document.getElementById('m-gmv').getBoundingClientRect().top")
    for wanted in ("en", "zh", "en"):
        page.locator(".language").evaluate("button => button.focus({preventScroll: true})")
        page.keyboard.press("Enter")
        page.wait_for_function(DRAWN)
        assert visit.language == wanted
        assert page.evaluate("document.activeElement.className") == "language"
    assert page.locator("#n-gmv-1").evaluate("element => element.open")
    assert abs(page.evaluate("document.getElementById('m-gmv').getBoundingClientRect().top") - before) < 3
    assert visit.drawn()
    page.set_viewport_size({"width": 700, "height": 900})  # figures of the language left behind must not stir
    page.locator(".finding .lead a").first.click()
    assert page.evaluate("location.hash").startswith("#n-net_gmv-")
    assert visit.faults == []


def test_a_number_opens_to_its_question_and_rows_by_keyboard(browser: Any, folder: Path) -> None:
    visit = Visit(browser, folder / "report.html")
    link = visit.page.locator(".finding .lead a").first
    link.focus()
    visit.page.keyboard.press("Enter")
    target = visit.page.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']")
    assert target.evaluate("element => element.open")
    assert "sim.Ledger(" in target.inner_text()
    assert visit.page.locator("#theme").get_attribute("aria-pressed") == "false"
    visit.page.locator("#theme").focus()
    visit.page.keyboard.press("Enter")
    assert visit.page.locator("#theme").get_attribute("aria-pressed") == "true"
    assert visit.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert visit.faults == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_the_language_shown(browser: Any, folder: Path, pictures: Path, language: str) -> None:
    visit = Visit(browser, folder / "report.html", 1280, "dark", language)
    visit.page.emulate_media(media="print")
    assert not visit.page.locator("#theme").is_visible()
    assert not visit.page.locator("details").first.is_visible()
    pdf = visit.page.pdf(path=pictures / f"report-{language}.pdf", format="A4")
    assert pdf.startswith(b"%PDF")
    assert visit.faults == []


@pytest.mark.parametrize(
    ("width", "theme", "language"),
    [(1280, "light", "en"), (1280, "dark", "zh"), (390, "light", "zh"), (390, "dark", "en")],
)
def test_diffusion_plays_pauses_highlights_and_tells(
    browser: Any, folder: Path, pictures: Path, width: int, theme: str, language: str
) -> None:
    visit = Visit(browser, folder / RUN / "diffusion.html", width, theme, language)
    page = visit.page
    before = page.inner_text("#clock")
    assert before.startswith("2025-03-0")
    page.click("#play")
    page.wait_for_function("clock => document.getElementById('clock').textContent > clock", arg=before)
    page.click("#play")
    paused = page.inner_text("#clock")
    assert paused > before
    page.wait_for_timeout(200)
    assert page.inner_text("#clock") == paused
    page.locator("#time").evaluate("slider => { slider.value = 600; slider.dispatchEvent(new Event('input')); }")
    plain = page.locator("#stage").screenshot()
    page.select_option("#cascade", "0")
    assert page.locator("#stage").screenshot() != plain
    page.fill("#person", "5")
    page.press("#person", "Enter")
    assert page.inner_text("#told .who >> nth=0") == "5"
    page.fill("#person", "99999")
    page.click("#tell")
    assert page.locator("#unknown").is_visible()
    box = page.locator("#stage").bounding_box()
    at = page.evaluate("Object.values(JSON.parse(document.getElementById('data').textContent))[0].places[7]")
    where = {"x": 11 + at[0] * (box["width"] - 26), "y": 11 + at[1] * (box["height"] - 26)}  # inside its border
    page.locator("#stage").click(position=where)
    assert page.inner_text("#told .who >> nth=0") == "7"
    assert visit.fits()
    visit.keep(pictures / f"diffusion-{width}-{theme}-{language}.png")
    story, clock = page.inner_text("#life"), page.inner_text("#clock")
    page.click(".language")
    page.wait_for_function(DRAWN)
    assert (page.inner_text("#told .who >> nth=0"), page.input_value("#cascade")) == ("7", "0")
    assert page.inner_text("#clock") == clock and page.inner_text("#life") != story
    assert visit.faults == []
    assert BASE in page.inner_text("header")
