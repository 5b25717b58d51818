from typing import Any

import pytest
from pydantic import ValidationError

from sim.params import Params
from sim.world import params as module
from sim.world.params import GeneratorParams, GraphParams, PeopleParams, ProductParams, WorldParams


@pytest.mark.parametrize("model", [m for m in vars(module).values() if isinstance(m, type) and issubclass(m, Params)])
def test_every_parameter_says_what_it_is(model: type[Params]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
        extra = field.json_schema_extra
        if model is not GeneratorParams:
            assert isinstance(extra, dict)
            assert set(extra) == {"unit", "source"}


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (PeopleParams, {"tier_shares": (0.5, 0.5, 0.5, 0)}, "sum to at most 1"),
        (PeopleParams, {"tolerance": (0.5, -0.1, 0.5)}, "at least 0"),
        (PeopleParams, {"cuont": 3}, "Extra inputs"),
        (GraphParams, {"networkx": {"generator": "cycle_graph"}, "file": "a.txt"}, "either networkx or file"),
        (ProductParams, {"category": "fod"}, "unknown category 'fod'; one of food, tea"),
        (ProductParams, {"variants": ("red", "red")}, "the same name"),
        (ProductParams, {"variants": ()}, "at least 1 item"),
        (ProductParams, {"price": 0}, "greater than or equal to 0.01"),
    ],
)
def test_wrong_values_are_refused(model: type[Params], values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model(**values)


def test_generator_arguments_are_kept() -> None:
    params = WorldParams(graph={"networkx": {"generator": "barabasi_albert_graph", "m": 3}})
    assert params.graph.networkx is not None
    assert params.graph.networkx.arguments == {"m": 3}
    again = WorldParams.model_validate(params.model_dump(mode="json"))
    assert again == params
    assert hash(again) == hash(params)
    assert WorldParams(graph={"networkx": {"generator": "barabasi_albert_graph", "m": 4}}) != params
