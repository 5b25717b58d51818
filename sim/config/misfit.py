"""What pydantic says of a value that does not fit, in the user's language; of rare kinds in English."""

from pydantic_core import ErrorDetails

from sim.words import ENGLISH, _, marked, spoken

_SAID = {  # by pydantic's type of error; what stands in braces is its context
    "missing": marked("field required"),
    "extra_forbidden": marked("extra inputs are not permitted"),
    "greater_than": marked("input should be greater than {gt}"),
    "greater_than_equal": marked("input should be greater than or equal to {ge}"),
    "less_than": marked("input should be less than {lt}"),
    "less_than_equal": marked("input should be less than or equal to {le}"),
    "multiple_of": marked("input should be a multiple of {multiple_of}"),
    "finite_number": marked("input should be a finite number"),
    "int_type": marked("input should be a valid integer"),
    "int_from_float": marked("input should be a valid integer, got a number with a fractional part"),
    "int_parsing": marked("input should be a valid integer"),
    "float_type": marked("input should be a valid number"),
    "float_parsing": marked("input should be a valid number"),
    "bool_type": marked("input should be a valid boolean"),
    "bool_parsing": marked("input should be a valid boolean"),
    "string_type": marked("input should be a valid string"),
    "string_pattern_mismatch": marked("string should match pattern '{pattern}'"),
    "string_too_short": marked("string should have at least {min_length} characters"),
    "string_too_long": marked("string should have at most {max_length} characters"),
    "too_short": marked("there should be at least {min_length} items, not {actual_length}"),
    "too_long": marked("there should be at most {max_length} items, not {actual_length}"),
    "list_type": marked("input should be a valid list"),
    "tuple_type": marked("input should be a valid list"),
    "dict_type": marked("input should be a valid mapping"),
    "mapping_type": marked("input should be a valid mapping"),
    "model_type": marked("input should be a valid mapping"),
    "model_attributes_type": marked("input should be a valid mapping"),
    "literal_error": marked("input should be {expected}"),
    "enum": marked("input should be {expected}"),
    "date_type": marked("input should be a valid date"),
    "date_parsing": marked("input should be a valid date"),
    "date_from_datetime_parsing": marked("input should be a valid date"),
    "none_required": marked("input should be empty"),
    "value_error": "{error}",
}


def said(error: ErrorDetails) -> str:
    """What is wrong, beginning with a small letter as it follows a colon; in English pydantic's own words."""
    known = _SAID.get(error["type"], "")
    if spoken() == ENGLISH or not known:
        return error["msg"][:1].lower() + error["msg"][1:]
    context = {name: str(value).replace(" or ", _(" or ")) for name, value in error.get("ctx", {}).items()}
    return _(known).format(**context)
