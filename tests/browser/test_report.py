from pathlib import Path
from typing import Any

import pytest

from tests.report.town import BASE, TITLE

pytestmark = pytest.mark.browser

WIDTHS, THEMES = (1280, 390), ("light", "dark")
RUN = Path("runs") / "as-it-is" / "seed-0"


class Visit:
    """A page opened from the disk with no network; `faults` are console errors, exceptions, and requests elsewhere."""

    def __init__(self, browser: Any, file: Path, width: int, theme: str) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, offline=True)
        context.set_default_timeout(120_000)
        self.page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda r: self.faults.append(r.url) if not r.url.startswith("file:") else None)
        self.page.goto(file.as_uri())
        self.page.wait_for_timeout(300)

    def fits(self) -> bool:
        """Whether nothing sticks out to the right."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_opens_offline_without_a_fault(
    browser: Any, folder: Path, pictures: Path, width: int, theme: str
) -> None:
    visit = Visit(browser, folder / "report.html", width, theme)
    visit.page.wait_for_selector(".plot .main-svg")
    assert visit.page.locator("[data-figure]").count() == visit.page.locator("[data-figure] .plot-container").count()
    assert visit.page.inner_text("h1") == TITLE
    assert visit.page.title() == TITLE
    assert visit.page.evaluate("document.documentElement.dataset.theme") == theme
    assert visit.fits()
    visit.page.screenshot(path=pictures / f"report-{width}-{theme}.png", full_page=True)
    visit.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert visit.fits()
    visit.page.locator("section").nth(2).screenshot(path=pictures / f"report-{width}-{theme}-open.png")
    assert visit.faults == []


def test_a_number_opens_to_its_question_and_rows_by_keyboard(browser: Any, folder: Path) -> None:
    visit = Visit(browser, folder / "report.html", 1280, "light")
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


def test_it_prints(browser: Any, folder: Path, pictures: Path) -> None:
    visit = Visit(browser, folder / "report.html", 1280, "dark")
    visit.page.emulate_media(media="print")
    assert not visit.page.locator("#theme").is_visible()
    assert not visit.page.locator("details").first.is_visible()
    pdf = visit.page.pdf(path=pictures / "report.pdf", format="A4")
    assert pdf.startswith(b"%PDF")
    assert visit.faults == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_diffusion_plays_pauses_highlights_and_tells(
    browser: Any, folder: Path, pictures: Path, width: int, theme: str
) -> None:
    visit = Visit(browser, folder / RUN / "diffusion.html", width, theme)
    page = visit.page
    before = page.inner_text("#clock")
    assert before.startswith("2025-03-0")
    page.click("#play")
    page.wait_for_timeout(500)
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
    assert page.inner_text("#who") == "5"
    page.fill("#person", "99999")
    page.click("#tell")
    assert page.locator("#unknown").is_visible()
    box = page.locator("#stage").bounding_box()
    at = page.evaluate("JSON.parse(document.getElementById('data').textContent).places[7]")
    page.mouse.click(box["x"] + 12 + at[0] * (box["width"] - 24), box["y"] + 12 + at[1] * (box["height"] - 24))
    assert page.inner_text("#who") == "7"
    assert visit.fits()
    page.screenshot(path=pictures / f"diffusion-{width}-{theme}.png", full_page=True)
    assert visit.faults == []
    assert BASE in page.inner_text("header")
