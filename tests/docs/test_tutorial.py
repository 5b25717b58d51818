"""The tutorial does what it says: every block on its pages is tried, in order, as a reader would."""

from pathlib import Path

import pytest

from docs.tutorial import PAGES, ROOT, begun, checkout, printed, shape


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_prints_what_it_shows(page: Path, tmp_path: Path) -> None:
    """If only the numbers moved: `python -m docs.tutorial` writes them anew."""
    folder = checkout(tmp_path)
    begun(page, folder)
    compared = [(shape(shown), shape(found)) for shown, found in printed(page.read_text("utf-8"), folder)]
    assert compared
    for shown, found in compared:
        assert shown == found


def test_there_are_five_steps_and_they_lead_on() -> None:
    assert [page.name[0] for page in PAGES] == ["1", "2", "3", "4", "5"]
    for page, following in zip(PAGES, PAGES[1:], strict=False):
        assert f"({following.name})" in page.read_text("utf-8")
    assert f"docs/tutorial/{PAGES[0].name}" in (ROOT / "README.md").read_text("utf-8")


def test_a_shape_keeps_words_and_forgets_numbers() -> None:
    assert shape("margin  4,035 +62.13\n -57.34 .. +181.6") == shape("margin 1.2M -3 -1 .. +2")
    assert shape("10 orders, better") != shape("10 orders, worse")


def test_a_block_that_nobody_tries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nobody tries"):
        list(printed("```toml\nx = 1\n```\n", tmp_path))
    with pytest.raises(AssertionError, match="ended with 3"):
        list(printed("```sh\nexit 3\n```\n", tmp_path))
