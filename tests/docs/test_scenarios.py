"""Every shipped question has a page that was made of it as it stands, and says what it must."""

import pytest

from docs.scenarios import PAGES, index, shipped, stamp

SCENARIOS = shipped()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_question_states_what_to_expect_and_its_trap(name: str) -> None:
    made = SCENARIOS[name]
    assert made.title.endswith("?")
    assert made.expectation and made.trap


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_page_is_of_the_scenario_as_it_stands(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {SCENARIOS[name].title}\n")
    assert text.rstrip().endswith(f"stamp {stamp(SCENARIOS[name])}."), f"run `python -m docs.scenarios {name}`"
    assert (PAGES / f"{name}.png").stat().st_size > 0


def test_the_list_is_complete() -> None:
    assert (PAGES / "index.md").read_text("utf-8") == index(SCENARIOS)
    assert {page.stem for page in PAGES.glob("*.md")} == {*SCENARIOS, "index"}
