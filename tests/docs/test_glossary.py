"""The glossary maps 微信 terms one to one, and leads to code that is there."""

import re
from collections import Counter
from pathlib import Path

import pytest

from sim import catalog
from sim.metrics.catalog import METRICS

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines()
    if re.match(r"\| .*[\u4e00-\u9fff].*\|", line)
][1:]
TERMS = [term for row in ROWS for term in row[0].split(" / ")]
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


def is_there(place: str) -> bool:
    """Whether a word of the last column is a mechanism or one of its parameters, a kind, a metric or a file."""
    key, _, parameter = place.rpartition(".")
    holder = catalog.mechanisms().get(key)
    known = {*catalog.mechanisms(), *catalog.kinds(), *METRICS}
    return (
        place in known or (ROOT / place).is_file() or (holder is not None and parameter in holder.Params.model_fields)
    )


def test_each_term_has_one_row_and_each_word_one_term() -> None:
    assert len(ROWS) > 50
    assert not [term for term, count in Counter(TERMS).items() if count > 1]
    assert not [word for word, count in Counter(row[1] for row in ROWS).items() if count > 1]
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("row", [row for row in ROWS if row[3]], ids=lambda row: row[0])
def test_a_term_leads_to_what_is_there(row: list[str]) -> None:
    assert is_there(row[3].strip("`"))


def test_a_wrong_place_is_noticed() -> None:
    assert not is_there("channels.cart.nothing") and not is_there("channels.kart")


@pytest.mark.parametrize("key", catalog.mechanisms())
def test_what_a_mechanism_calls_itself_is_in_the_glossary(key: str) -> None:
    named = catalog.summary(catalog.mechanisms()[key]).partition(":")[0]
    words = [word for found in CHINESE.findall(named) for word in ([found] if found in TERMS else found.split("与"))]
    assert set(words) <= set(TERMS)
