import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.metrics.catalog import METRICS
from sim.study.table import number, table
from tests.study.example import BASE, BETTER, LAME, METRIC, comparison


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in line)


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        (1_234_567.0, "1.235M", "+1.235M"),
        (-2.5e9, "-2.5G", "-2.5G"),
        (999_960.0, "1M", "+1M"),
        (12_345.4, "12,345", "+12,345"),
        (999.96, "1,000", "+1,000"),
        (123.44, "123.4", "+123.4"),
        (0.12346, "0.1235", "+0.1235"),
        (0.0, "0", "0"),
        (float("nan"), "–", "–"),
    ],
)
def test_number_by_hand(value: float, plain: str, signed: str) -> None:
    assert number(value) == plain
    assert number(value, signed=True) == signed


@given(st.floats(-9e11, 9e11).filter(lambda value: abs(value) > 1e-9))
def test_number_fits_its_column_and_keeps_its_value(value: float) -> None:
    text = number(value, signed=True)
    assert len(text) <= 10
    scale = {"M": 1e6, "G": 1e9}.get(text[-1], 1.0)
    assert float(text.rstrip("MG").replace(",", "")) * scale == pytest.approx(value, rel=6e-4)


def test_a_row_for_each_strategy_and_metric() -> None:
    lines = table(comparison()).splitlines()
    heads = [METRICS[name].title for name in comparison().metrics]
    at = [next(i for i, line in enumerate(lines) if line.startswith(head)) for head in heads]
    for begin in at:
        rows = "\n".join(lines[begin : begin + 6])
        assert BASE in rows
        assert BETTER in rows
        assert "全渠道 with" in rows
    better = next(line for line in lines[at[0] :] if BETTER in line)
    assert better.split()[-6:] == ["260", "+10", "+8.701", "..", "+11.3", "better"]  # 10 ± 3.182·0.8165/2
    assert "baseline" in lines[at[0] + 1]


def test_what_cannot_be_told_says_how_many_more_seeds() -> None:
    text = table(comparison())
    rest = comparison().difference(LAME, METRIC).verdict.removeprefix("cannot tell: ")
    assert rest.endswith("more seeds")
    assert f"{rest:>80}" in text.splitlines()


def test_failures_and_unfinished_runs_are_told() -> None:
    text = table(comparison())
    assert f"failed: {LAME}, seed 44: ContractError: broke" in text
    assert "11 of 12 runs are finished." in text
    assert "undefined: in some seed" in text


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1, max_size=60)


@given(NAMES, NAMES)
def test_no_line_is_wider_than_80_columns(title: str, name: str) -> None:
    whole = comparison()
    renamed = comparison(
        title=title,
        values={(name if key == LAME else key): value for key, value in whole.values.items()},
        done={(name if key == LAME else key): value for key, value in whole.done.items()},
        failures=(),
    )
    assert max(map(columns, table(renamed).splitlines())) <= 80
