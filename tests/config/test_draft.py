from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.config.draft import AS_IT_IS, CHANNELS, CYCLE_DAYS, Answers, ideas, offered, text
from sim.config.load import load
from sim.config.yaml import compose
from sim.errors import Fault, StudyError
from sim.world.categories import CATEGORIES


def answers(**changes: object) -> Answers:
    given = {"sell": "tea", "category": "tea", "price": 168.0, "cost": 62.0}
    return Answers(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [("store",), ("store", "mini_program"), CHANNELS])
def test_every_idea_loads_and_changes_the_shop(channels: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text(answers(channels=channels, ideas=offered(channels)), file.name), "utf-8")
    warnings: list[Fault] = []
    made = load(file, warn=warnings.append)
    assert not warnings
    assert tuple(made.merchants["my_shop"].channels) == tuple(sorted(channels))
    assert [*made.strategies] == [AS_IT_IS, *(ideas("tea", 168, 60)[key].name for key in offered(channels))]
    assert made.focal == "my_shop" and made.compare is not None and made.compare.baseline == AS_IT_IS
    digests = [strategy.digest for strategy in made.strategies.values()]
    assert len(set(digests)) == len(digests)
    assert made.strategies[AS_IT_IS].digest == made.digest


@pytest.mark.slow
@given(
    st.text(min_size=1, max_size=30),
    st.floats(0.05, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 3_650),
    st.sampled_from(CATEGORIES),
)
def test_any_answer_makes_a_file_or_an_error(sell: str, price: float, cost: float, days: int, category: str) -> None:
    try:
        asked = answers(sell=sell, price=price, cost=cost, days=days, category=category, ideas=("coupon", "live"))
    except StudyError:
        assert not any(letter.isalnum() for letter in sell)
        return
    tree, faults = compose(text(asked, "mine.yaml").encode(), "mine.yaml")
    assert not faults and tree is not None
    assert [*tree.children["merchants"].children["my_shop"].children["products"].children] == [asked.product]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ideas": ("coupn",)}, 'did you mean "coupon"'),
        ({"channels": ("shop",)}, "channel 'shop'"),
        ({"channels": ("store", "live"), "ideas": ("live",)}, "strategy 'live'"),
        ({"category": "teas"}, 'did you mean "tea"'),
        ({"price": 0}, "above 0"),
        ({"sell": "!"}, "needs a name"),
    ],
)
def test_an_answer_that_cannot_be_is_told(changes: dict[str, object], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        answers(**changes)


def test_every_category_has_a_cycle() -> None:
    assert set(CYCLE_DAYS) == set(CATEGORIES)
