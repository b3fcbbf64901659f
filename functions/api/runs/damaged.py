"""One boundary for a run's stored documents: damaged or foreign content is one clear error, not a traceback."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from prewarm.errors import Conflict, Problem, truncate
from prewarm.observability import logger

# What reading raises where a document lacks a part, has one of another type or a number out of range, or is not JSON.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    FileNotFoundError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)


@contextmanager
def stored_documents() -> Iterator[None]:
    """Convert the errors of reading a run's documents; also a decorator.

    Raises:
        Conflict: a document of the run is damaged, or something else wrote it.

    """
    try:
        yield
    except DAMAGE as error:
        # With its traceback, since a fault of the service would look the same to the caller.
        logger.exception("a run's stored documents cannot be read", exc_info=error)
        reason = truncate(f"{type(error).__name__}: {error}")
        message = f"the run's stored documents cannot be read ({reason}); start a new run, and see the API's log"
        raise Conflict("RunDamaged", [Problem("requestID", message)]) from error
