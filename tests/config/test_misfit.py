"""What pydantic says is told in Chinese by its type, and in English as pydantic has it."""

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core.core_schema import ErrorType

from sim.config.misfit import _SAID, said
from sim.words import speaking


class Colour(Enum):
    red = "red"


class Inner(BaseModel):
    x: int = 0


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    above: Annotated[float, Field(gt=0)] = 1
    least: Annotated[int, Field(ge=2)] = 2
    below: Annotated[float, Field(lt=1.5)] = 0
    most: Annotated[int, Field(le=3)] = 3
    even: Annotated[int, Field(multiple_of=2)] = 2
    number: float = 0
    switch: bool = True
    word: Annotated[str, Field(min_length=2, max_length=3, pattern="^a")] = "ab"
    items: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    pair: tuple[int, ...] = ()
    table: dict[str, int] = {}
    inner: Inner = Inner()
    choice: Literal["one", "two"] = "one"
    colour: Colour = Colour.red
    day: date = date(2025, 1, 6)
    nothing: None = None
    odd: int = 1

    @field_validator("odd")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("必须是奇数")
        return value


def error_of(**values: Any) -> Any:
    with pytest.raises(ValidationError) as raised:
        Everything(**values)
    return raised.value.errors(include_url=False)[0]


@pytest.mark.parametrize(
    ("values", "chinese"),
    [
        ({"above": 0}, "应大于 0.0"),
        ({"least": 1}, "应不小于 2"),
        ({"below": 2}, "应小于 1.5"),
        ({"most": 4}, "应不大于 3"),
        ({"even": 3}, "应为 2 的倍数"),
        ({"number": float("inf")}, "应为有限的数字"),
        ({"number": "x"}, "应为数字"),
        ({"least": 2.5}, "应为整数，而不是小数"),
        ({"least": "x"}, "应为整数"),
        ({"least": []}, "应为整数"),
        ({"switch": "perhaps"}, "应为 true 或 false"),
        ({"word": 5}, "应为文本"),
        ({"word": "a"}, "至少需要 2 个字符"),
        ({"word": "abcd"}, "最多 3 个字符"),
        ({"word": "bc"}, "应符合模式 '^a'"),
        ({"items": []}, "至少需要 1 项，现有 0 项"),
        ({"items": [1, 2, 3]}, "最多 2 项，现有 3 项"),
        ({"items": 5}, "应为列表"),
        ({"pair": 5}, "应为列表"),
        ({"table": 5}, "应为映射"),
        ({"inner": 5}, "应为映射"),
        ({"choice": "three"}, "应为 'one' 或 'two'"),
        ({"colour": "blue"}, "应为 'red'"),
        ({"day": "today"}, "应为日期"),
        ({"nothing": 1}, "应为空"),
        ({"odd": 2}, "必须是奇数"),
        ({"other": 2}, "不允许多余的输入"),
    ],
)
def test_a_misfit_is_told(values: dict[str, Any], chinese: str) -> None:
    error = error_of(**values)
    assert said(error) == error["msg"][:1].lower() + error["msg"][1:]
    with speaking("zh"):
        assert said(error) == chinese


def test_what_is_rare_stays_english() -> None:
    error = {**error_of(least=1), "type": "something_rare", "msg": "Something rare"}
    with speaking("zh"):
        assert said(error) == "something rare"  # type: ignore[arg-type]


def test_every_type_is_one_of_pydantics() -> None:
    assert set(_SAID) <= set(get_args(ErrorType))
