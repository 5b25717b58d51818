"""Every shipped question has a page that was made of it as it stands, and says what it must."""

import pytest

from docs.scenarios import PAGES, index, outcome, shipped, stamp
from sim.config.model import Scenario
from sim.study.expectation import FAILED, HELD, OPEN, Judged
from sim.study.stats import Estimate

NAMES = sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Scenario]:
    """Every shipped question."""
    return shipped()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_question_states_what_to_expect_and_its_trap(scenarios: dict[str, Scenario], name: str) -> None:
    made = scenarios[name]
    assert made.title.endswith("?")
    assert made.expectation and made.expects and made.trap


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_of_the_scenario_as_it_stands(scenarios: dict[str, Scenario], name: str) -> None:
    text = (PAGES / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {scenarios[name].title}\n")
    assert text.rstrip().endswith(f"stamp {stamp(scenarios[name])}."), f"run `python -m docs.scenarios {name}`"
    assert (PAGES / f"{name}.png").stat().st_size > 0


def test_a_page_says_first_what_did_not_hold() -> None:
    found = Estimate(1.0, 0.5, 1.5)
    judged = [
        Judged(name, found, verdict, ()) for name, verdict in (("a", HELD), ("b", OPEN), ("c", FAILED), ("d", HELD))
    ]
    told = outcome(judged)
    assert told.startswith("Of 4 claims 1 did not hold, 1 cannot be told with these seeds, 2 held.\n")
    assert [line[:3] for line in told.splitlines()[2:]] == ["- c", "- b", "- a", "- d"]


def test_the_list_is_complete(scenarios: dict[str, Scenario]) -> None:
    assert (PAGES / "index.md").read_text("utf-8") == index(scenarios)
    assert {page.stem for page in PAGES.glob("*.md")} == {*scenarios, "index"}
