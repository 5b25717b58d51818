"""The loader with the mechanisms that there are, whatever they are."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sim import catalog
from sim.config import sections
from sim.config.load import load
from sim.config.model import Scenario
from sim.config.schema import at, schema
from sim.errors import ScenarioError

KEYS = tuple(catalog.mechanisms())


def path(key: str) -> tuple[str, ...]:
    folder, name = key.split(".")
    return (folder, name) if folder in sections.PER_WORLD else ("merchants", "tea", folder, name)


def test_what_is_on_by_default_exists() -> None:
    assert set(sections.ALWAYS) <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_defaults_survive_being_written_and_read(key: str) -> None:
    params = catalog.mechanisms()[key].Params
    defaults = params()
    assert params.model_validate_json(defaults.model_dump_json(), strict=True) == defaults


@pytest.mark.parametrize("key", KEYS)
def test_every_parameter_states_its_meaning_unit_and_source(key: str) -> None:
    for name, field in catalog.mechanisms()[key].Params.model_fields.items():
        said = at((*path(key), name))
        assert said.get("description"), name
        assert "unit" in said, name
        assert said.get("source"), name
        assert not field.is_required(), name


def test_everything_switched_on_at_once_loads_and_comes_back(write: Callable[..., Path], head: str) -> None:
    paths = [".".join(path(key)) for key in KEYS]
    made = load(write(head + "strategies:\n  all:\n" + "".join(f"    {where}:\n" for where in paths)))
    everything = made.strategy("all")
    on = {f"{folder}.{name}" for folder in sections.PER_WORLD for name in getattr(everything, folder)}
    on |= {f"{f}.{name}" for f in sections.PER_MERCHANT for name in getattr(everything.merchants["tea"], f)}
    assert on == set(KEYS)
    assert Scenario.restore(json.loads(json.dumps(made.resolved()))) == made


@pytest.mark.parametrize("key", KEYS)
def test_an_unknown_parameter_is_found_in_each(key: str, write: Callable[..., Path], head: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(write(f"{head}strategies:\n  s:\n    {'.'.join(path(key))}: {{no_such_parameter: 1}}\n"))
    (fault,) = caught.value.faults
    assert fault.wrong == 'unknown parameter "no_such_parameter"'
    assert (fault.line, fault.column) == (6, 5 + len(".".join(path(key))) + len(": {"))


def test_the_schema_of_the_whole_is_json() -> None:
    assert json.loads(json.dumps(schema())) == schema()


def test_an_article_can_only_be_linked_with_merchants_of_the_market(write: Callable[..., Path], head: str) -> None:
    where = "merchants.tea.channels.articles.linked"
    assert load(write(f"{head}strategies: {{s: {{{where}: [tea]}}}}\n")).strategy("s").merchants["tea"].channels
    with pytest.raises(ScenarioError) as caught:
        load(write(f"{head}strategies:\n  s:\n    {where}: [tea, ta]\n"))
    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (6, 5 + len(where) + len(": [tea, "))
    assert fault.wrong == '"ta" is not a merchant'
    assert 'did you mean "tea"' in fault.instead
