import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from sim.config.load import load
from sim.config.model import Scenario

pytestmark = pytest.mark.usefixtures("small_catalog")

Make = Callable[..., Scenario]
MORE = """\
world: {people: {count: 50}, graph: {networkx: {generator: watts_strogatz_graph, k: 4, p: 0.1}}}
platform: {rules: {since: 2025-02-01, swap: same_price}}
people: {buy: , browse: {shares: [0.1, 0.9]}}
strategies: {a: {people.buy: false}, b: {merchants.tea.offers.coupon: {by_category: {tea: 0.2}}}}
compare: {baseline: a, metrics: [gmv], replications: 3}
"""


def test_resolved_is_json_and_comes_back_the_same(scenario: Make) -> None:
    made = scenario(MORE)
    text = json.dumps(made.resolved())
    again = Scenario.restore(json.loads(text))
    assert again == made
    assert json.dumps(again.resolved()) == text
    assert again.strategy("b").digest == made.strategy("b").digest
    assert again.world.graph.networkx is not None
    assert again.world.graph.networkx.arguments == {"k": 4, "p": 0.1}


def test_resolved_states_every_default(scenario: Make) -> None:
    resolved = scenario().resolved()
    assert resolved["merchants"]["tea"]["operations"] == {
        "after_sale": {"pieces": 5}, "finance": {"pieces": 5}, "inventory": {"pieces": 5},
    }  # fmt: skip
    assert resolved["platform"] == {"rules": {"since": "2024-12-18", "folding": True, "swap": "none"}}
    assert resolved["horizon"] == {"start": "2025-01-06", "days": 10, "tick": 3600}


def test_what_was_switched_off_stays_off(scenario: Make) -> None:
    made = scenario("strategies: {s: {people.buy: false}}\n").strategy("s")
    assert "buy" not in Scenario.restore(made.resolved()).people


def test_mechanisms_stand_in_the_order_of_the_catalogue(scenario: Make) -> None:
    one, two = scenario("people: {buy: , browse: }\n"), scenario("people: {browse: , buy: }\n")
    assert list(one.people) == list(two.people) == ["browse", "buy"]
    assert one.digest == two.digest


def test_the_digest_is_of_what_a_run_depends_on(scenario: Make) -> None:
    made = scenario(MORE)
    for same in (
        MORE.replace("replications: 3", "replications: 4"),
        MORE.replace("a: {people.buy: false}, ", "a: {}, "),
    ):
        assert scenario(same).digest == made.digest
    for other in (
        MORE.replace("count: 50", "count: 51"), MORE + "seed: 2\n", MORE + "record: all\n",
        MORE.replace("p: 0.1", "p: 0.2"), MORE.replace("2025-02-01", "2025-02-02"), MORE.replace("buy: , ", ""),
    ):  # fmt: skip
        assert scenario(other).digest != made.digest
    assert made.strategy("a").digest != made.digest


def test_the_order_of_merchants_and_products_counts(write: Callable[..., Path]) -> None:
    """Their position is their number in every draw."""
    top = "title: t\nhorizon: {start: 2025-01-06, days: 1}\nmerchants: "
    texts = (
        "{a: {products: {p: {}, q: {}}}, b: {products: {p: {}}}}",
        "{b: {products: {p: {}}}, a: {products: {p: {}, q: {}}}}",
        "{a: {products: {q: {}, p: {}}}, b: {products: {p: {}}}}",
    )
    assert len({load(write(top + text + "\n")).digest for text in texts}) == 3


def test_a_graph_file_counts_by_its_bytes(write: Callable[..., Path], head: str) -> None:
    digests = []
    for folder, ties in (("a", "0 1\n"), ("b", "0 1\n"), ("c", "1 2\n")):
        write(ties, f"{folder}/ties.txt")
        digests.append(
            load(write(head + "world: {people: {count: 2}, graph: {file: ties.txt}}\n", f"{folder}/s.yaml")).digest
        )
    assert digests[0] == digests[1] != digests[2]


def test_other_luck_is_the_same_scenario_with_another_seed(scenario: Make) -> None:
    made = scenario(MORE)
    other = made.with_seed(99)
    assert (other.seed, other.strategy("b").seed, made.seed) == (99, 99, 1)
    assert other.digest != made.digest
    assert other.with_seed(1) == made


def test_scenarios_travel_to_workers_and_are_frozen(scenario: Make) -> None:
    made = scenario(MORE)
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(ValidationError):
        made.seed = 3  # type: ignore[misc]
