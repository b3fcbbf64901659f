"""What is wrong with an option's value, in place of the text of the library that typer checks it with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prewarm_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

# By pydantic's type of error (its documentation, "Validation Errors"): what is wrong.
TEXTS = {
    "int_parsing": "{input!r} is not a whole number",
    "int_type": "{input!r} is not a whole number",
    "int_from_float": "{input!r} is not a whole number",
    "int_parsing_size": "{input!r} has too many digits",
    "float_parsing": "{input!r} is not a number",
    "float_type": "{input!r} is not a number",
    "finite_number": "{input!r} is not a number",
    "bool_parsing": "{input!r} is neither true nor false",
    "greater_than_equal": "must be at least {ge}, got {input}",
    "greater_than": "must be above {gt}, got {input}",
    "less_than_equal": "must be at most {le}, got {input}",
    "less_than": "must be below {lt}, got {input}",
}


def check_finite(values: Mapping[str, Any]) -> None:
    """Refuse `nan` and `inf`, which the command line reads as numbers; `values`: those of options, by parameter.

    Raises:
        CommandFailed: one of them is not finite.

    """
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise CommandFailed(f"--{name.replace('_', '-')}: must be a finite number, got {value}")


def describe(cause: object, message: str) -> str:
    """Return what is wrong with a value; `cause`: the library's error, `message`: its text, kept where unknown."""
    errors: list[dict[str, Any]] = cause.errors() if hasattr(cause, "errors") else []
    for error in errors:
        if text := TEXTS.get(error["type"]):
            return text.format(**{"input": error["input"], **error.get("ctx", {})})
    return message.removeprefix("Value error, ").removesuffix(".")
