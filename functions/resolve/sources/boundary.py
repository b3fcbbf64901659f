"""The boundary around the reading of a document: any error in it becomes a problem that names document and place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.observability import logger
from prewarm.urls import Url, redacted


class Unreadable(ValueError):
    """A document cannot be read; the message continues a sentence that begins with its address."""


class BudgetSpent(ValueError):
    """The sources need more than a run may use; the message names the limit and what to do."""


@dataclass
class Place:
    """Where the reader of a document is: the line, or 0 if it is not known."""

    line: int = 0


@contextmanager
def reading(source: str, url: Url, place: Place) -> Iterator[None]:
    """Turn every error while a document is read into one that names it.

    Raises:
        InvalidRequest: the run's budget is spent; the run is refused.
        Unreadable: anything else; the caller decides whether it needs the document.

    """
    place.line = 0
    try:
        yield
    except (InvalidRequest, Unreadable):
        raise
    except BudgetSpent as spent:
        raise InvalidRequest([problem(source, url, str(spent))]) from spent
    except Exception as error:
        # A fault of the reader, such as a number that Python cannot hold: the document decides what happens, and a
        # request must not end as an error of the service.
        logger.exception("unexpected error in a source", extra={"source": source, "document": redacted(url.given)})
        at = f" near line {place.line}" if place.line else ""
        raise Unreadable(f"cannot be read{at}: it has a value that the service does not understand") from error


def problem(source: str, url: Url, message: str) -> Problem:
    """Return a problem of one document."""
    return Problem(source, f"{truncate(redacted(url.given))!r} {message}")
