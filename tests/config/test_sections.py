from typing import Any

import pytest

from sim.config.sections import known, switched

pytestmark = pytest.mark.usefixtures("small_catalog")

OWN: dict[str, Any] = {"after_sale": {}, "finance": {}, "inventory": {}}


def section(value: Any, folder: str = "people") -> Any:
    return switched({folder: value})[folder]


@pytest.mark.parametrize("value", [None, True, {}])
def test_nothing_true_and_an_empty_mapping_switch_on(value: Any) -> None:
    assert section({"browse": value}) == {"browse": {}}


def test_false_and_silence_mean_off() -> None:
    assert section({"browse": False, "buy": {"pieces": 1}}) == {"buy": {"pieces": 1}}
    assert section(None) == {}
    assert switched({})["people"] == {}


def test_what_is_unknown_or_no_section_is_left_for_the_schema_to_refuse() -> None:
    assert section({"brose": False}) == {"brose": False}
    assert section({"browse": 0}) == {"browse": 0}
    assert section(["browse"]) == ["browse"]
    assert switched({"merchants": [1]})["merchants"] == [1]
    assert switched({"merchants": {"tea": 1}})["merchants"] == {"tea": 1}


def test_a_merchant_has_its_operations_unless_switched_off() -> None:
    def operations(value: Any) -> Any:
        return switched({"merchants": {"tea": {"operations": value}}})["merchants"]["tea"]["operations"]

    assert operations(None) == OWN
    assert operations({"staff": None}) == {**OWN, "staff": {}}
    assert operations({"inventory": {"pieces": 1}}) == {**OWN, "inventory": {"pieces": 1}}
    assert operations({"staff": False}) == OWN
    assert operations({"finance": False})["finance"] is False
    assert switched({"merchants": {"tea": {}}})["merchants"]["tea"]["operations"] == OWN


def test_the_rules_are_always_there() -> None:
    assert switched({})["platform"] == {"rules": {}}


def test_known_mechanisms_come_in_the_order_of_the_catalogue() -> None:
    assert list(known("operations")) == ["after_sale", "finance", "inventory", "staff"]
    assert list(known("nowhere")) == []
