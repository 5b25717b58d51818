"""Lines fit in columns; without Chinese they are those of `textwrap`."""

from textwrap import wrap as plainly

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.words.columns import cut, left, right, width, wrap

WORDS = st.lists(st.text("ab-'é", min_size=1, max_size=9), max_size=20).map(" ".join)
MIXED = st.text("ab 微信，。（）“”", max_size=80)


def test_a_chinese_character_takes_two_columns_and_an_accent_none() -> None:
    assert (width("abc"), width("微信"), width("（）"), width("e\u0301")) == (3, 4, 4, 1)


@pytest.mark.parametrize("text", ["", "ab", "微信小店"])
def test_edges(text: str) -> None:
    assert left(text, 8) == text + " " * (8 - width(text))
    assert right(text, 8) == " " * (8 - width(text)) + text


@given(MIXED, st.integers(2, 20))
def test_a_cut_text_fits_and_begins_as_it_did(text: str, columns: int) -> None:
    found = cut(text, columns)
    assert width(found) <= columns
    assert found == text or text.startswith(found[:-1]) and found.endswith("…")


@given(WORDS, st.integers(12, 40), st.sampled_from(["", "- "]))
def test_without_chinese_lines_are_those_of_textwrap(text: str, columns: int, first: str) -> None:
    there = plainly(text, columns, initial_indent=first, subsequent_indent="  ", break_on_hyphens=False)
    assert wrap(text, columns, first, "  ") == there


@given(MIXED, st.integers(12, 40))
def test_lines_fit_and_hold_all_that_is_no_space(text: str, columns: int) -> None:
    lines = wrap(text, columns, "→ ", "  ")
    assert all(width(line) <= columns for line in lines)
    assert "".join("".join(lines).removeprefix("→").split()) == "".join(text.split())


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    text = "微信小店，小程序（含会员中心）与服务号，“三角”一起用。" * 3
    for columns in range(12, 40):
        for line in wrap(text, columns):
            assert line[0] not in "，。）”" and line[-1] not in "（“"
