"""What pydantic finds, in our words: for settings and for requests alike."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tiza.errors import Problem
from tiza.translation import N_

# Templates over the context that pydantic gives with the error.
WORDS: Mapping[str, str] = {
    "json_invalid": N_("this is not valid JSON ({error})"),
    "missing": N_("this field is required"),
    "extra_forbidden": N_("this field is unknown"),
    "string_type": N_("must be a text"),
    "string_too_short": N_("must not be empty"),
    "string_too_long": N_("must have at most {max_length} characters"),
    "int_parsing": N_("must be a whole number"),
    "float_parsing": N_("must be a number"),
    "bool_parsing": N_("must be true or false"),
    "address": N_("must begin with http:// or https:// and name a host"),
    "one_form": N_("must have either conversations or messages"),
    "network": N_("must be networks such as 10.0.0.0/8, separated by commas"),
    "database": N_("must begin with postgresql:// or sqlite:///"),
    "greater_than": N_("must be more than {gt}"),
    "less_than": N_("must be less than {lt}"),
    "int_type": N_("must be a whole number"),
    "int_from_float": N_("must be a whole number"),
    "float_type": N_("must be a number"),
    "finite_number": N_("must be a finite number"),
    "bool_type": N_("must be true or false"),
    "list_type": N_("must be a list"),
    "too_short": N_("must have at least {min_length} entries"),
    "too_long": N_("must have at most {max_length} entries"),
    "model_attributes_type": N_("must be an object"),
    "model_type": N_("must be an object"),
    "dict_type": N_("must be an object"),
    "greater_than_equal": N_("must be at least {ge}"),
    "less_than_equal": N_("must be at most {le}"),
    "literal_error": N_("must be one of: {expected}"),
}


def problems_of(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Turn pydantic's errors into (field, words, data of the words); unknown kinds stay as told."""
    return [
        (_field(e["loc"]), WORDS.get(e["type"], "{msg}"), {"msg": e["msg"], **(e.get("ctx") or {})})
        for e in errors
    ]


def _field(location: Sequence[str | int]) -> str:
    parts = [str(part) for part in location if part != "body"]
    return ".".join(parts) or "body"
