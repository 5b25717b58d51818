import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sim import catalog
from sim.config.schema import at, keys, schema
from sim.config.strategies import FIXED

pytestmark = pytest.mark.usefixtures("small_catalog")


def nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from nodes(child)


def test_every_mechanism_can_be_written_and_switched() -> None:
    text = schema()
    merchant = text["$defs"]["MerchantConfig"]["properties"]
    for key in catalog.mechanisms():
        folder, name = key.split(".")
        section = text["properties"][folder] if folder in text["properties"] else merchant[folder]
        kinds = [variant.get("type", variant.get("const")) for variant in section["properties"][name]["anyOf"]]
        fixed = key in ("operations.after_sale", "operations.finance", "operations.inventory", "platform.rules")
        assert kinds[1:] == ["null", True if fixed else "boolean"]
        assert section["additionalProperties"] is False


def test_every_reference_leads_somewhere_and_json_can_hold_it() -> None:
    text = schema()
    references = {part["$ref"] for part in nodes(text) if isinstance(part.get("$ref"), str)}
    assert references
    for reference in references:
        part = text
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]
        assert isinstance(part, dict)
    assert json.loads(json.dumps(text)) == text


def test_nothing_is_required_since_it_may_stand_in_what_a_file_extends() -> None:
    assert not [part for part in nodes(schema()["$defs"]) if isinstance(part.get("required"), list)]
    assert "required" not in schema()
    assert schema()["properties"]["extends"]["type"] == "string"


def test_a_strategy_may_hold_dots_and_what_is_free() -> None:
    patch = schema()["properties"]["strategies"]["additionalProperties"]
    assert patch["additionalProperties"] is True
    assert {"extends", "people", "merchants", "world"} <= set(patch["properties"])
    assert not set(FIXED) & set(patch["properties"])


def test_what_stands_at_a_dotted_path_is_known() -> None:
    known = schema()["properties"]["strategies"]["additionalProperties"]["patternProperties"]

    def found(path: str) -> Any:
        (part,) = [part for pattern, part in known.items() if re.search(pattern, path)]
        return part

    assert [*found("people.browse")["anyOf"][0]] == ["$ref"]
    assert found("merchants.tea.channels.store.follow_prompt") == {
        "$ref": "#/$defs/StoreParams/properties/follow_prompt"
    }
    assert found("merchants.tea.products.green.price") == {"$ref": "#/$defs/ProductParams/properties/price"}
    assert not [pattern for pattern in known if re.search(pattern, "merchants.tea.channels.shop")]


def test_an_editor_shows_unit_and_source() -> None:
    opens = schema()["$defs"]["BrowseParams"]["properties"]["opens"]
    assert opens["description"] == "days with a session (share; assumed)"


def test_parameters_carry_their_meaning_unit_range_and_default() -> None:
    opens = at(("people", "browse", "opens"))
    wanted = {"description": "days with a session", "unit": "share", "minimum": 0, "maximum": 1, "default": 0.3}
    assert wanted.items() <= opens.items()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("merchants", "any", "products", "any", "price"), "number"),
        (("merchants", "any", "offers", "coupon", "days", 3), "integer"),
        (("merchants", "any", "offers", "coupon", "by_category", "any"), "number"),
        (("people", "browse", "shares", 1), "number"),
        (("compare", "replications"), "integer"),
        (("horizon", "start"), "string"),
    ],
)
def test_a_path_finds_its_schema(path: tuple[str | int, ...], kind: str) -> None:
    assert at(path)["type"] == kind


def test_a_path_to_nowhere_finds_nothing() -> None:
    assert at(("people", "brose")) == {}
    assert at(("people", "brose", "opens", 3)) == {}
    assert keys(("title",)) == []


def test_keys_of_a_mapping() -> None:
    assert keys(("people",)) == ["browse", "buy"]
    assert keys(("people", "browse")) == ["opens", "shares"]
    assert set(keys(())) == {
        "title", "expectation", "expects", "trap", "horizon", "seed", "record", "world", "platform", "people",
        "merchants", "strategies", "compare",
    }  # fmt: skip
