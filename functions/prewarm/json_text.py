"""JSON as people write it: what Python's parser accepts without a word, though it loses or invents a value. Pure."""

import json
from typing import Any

from prewarm.errors import truncate


class RepeatedName(ValueError):
    """An object has a `name` twice; Python keeps the last value and drops the first."""

    REASON = "is given twice; remove one"

    def __init__(self, name: str) -> None:
        self.name = truncate(name)
        super().__init__(f"{self.name}: {self.REASON}")


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text.

    Raises:
        json.JSONDecodeError: it is not JSON; the error has the position.
        RepeatedName: an object has a name twice.
        ValueError: anything else that is not a value in JSON; the message continues a sentence with the text's name.

    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"is not text in {error.encoding.upper()}; save it as UTF-8") from error
    except (json.JSONDecodeError, RepeatedName):
        raise
    except ValueError as error:
        # Python does not read a number of more than 4,300 digits.
        digits = "is JSON with a number of too many digits; use at most 19"
        raise ValueError(digits if "digits" in str(error) else str(error)) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. A body of 4 MB may have a million of them, most of which are then empty."""
    if not pairs:
        return {}
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        raise RepeatedName(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return values


def _no_number(name: str) -> Any:  # noqa: ANN401 - json's own signature
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"is not JSON: {name} is not a number in JSON")
