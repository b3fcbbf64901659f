"""The path patterns of `invalidate`: their form, checked before anything is resolved. Pure."""

import re
from collections.abc import Iterator

from prewarm.errors import Problem, truncate

# Most wildcard paths that CloudFront invalidates at a time per distribution (Developer Guide, "Concurrent
# invalidation request maximum").
MAX_PATTERNS = 15
# The longest path that CloudFront accepts, in characters (Developer Guide, "Invalidation paths").
LONGEST_PATH = 4_000
# Characters that an invalidation path must not contain as they are: controls, spaces, non-ASCII, and those that RFC
# 1738 calls unsafe (Developer Guide, "Invalidation paths"). `~` has its own message, `%` starts an escape.
UNSAFE = re.compile(r'[^\x21-\x7e]|[<>"#{}|\\^\[\]`]')
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# CloudFront does not invalidate a path with a tilde, encoded or not (Developer Guide, "Invalidation paths").
TILDE = re.compile(r"~|%7e", re.IGNORECASE)


def pattern_problem(pattern: str) -> str:
    """Return why CloudFront would not invalidate a pattern, or the empty string."""
    return next((f"{truncate(pattern)!r} {problem}" for wrong, problem in _checks(pattern) if wrong), "")


def _checks(pattern: str) -> Iterator[tuple[object, str]]:
    yield not pattern.startswith("/"), "does not start with /; write a path such as /assets/*"
    length = f"has {len(pattern):,} characters; CloudFront accepts {LONGEST_PATH:,} at most"
    yield len(pattern) > LONGEST_PATH, length
    yield "*" in pattern[:-1], "has a * before its end, which CloudFront reads as a letter; write one at the end only"
    tilde = "contains ~, which CloudFront does not invalidate, encoded or not; end the pattern before it"
    yield TILDE.search(pattern), tilde
    if unsafe := UNSAFE.search(pattern):
        yield unsafe, f"contains {unsafe[0]!r}; percent-encode it"
    escape = "contains a % that does not start a percent-encoded byte; write %25 for a literal %"
    yield BAD_ESCAPE.search(pattern), escape


def pattern_problems(invalidate: object) -> list[Problem]:
    """Return the problems of a request's `invalidate`; the model rejects other types."""
    if not isinstance(invalidate, list) or not all(isinstance(each, str) for each in invalidate):
        return []
    checked = ((f"invalidate[{index}]", pattern_problem(each)) for index, each in enumerate(invalidate))
    problems = [Problem(field, problem) for field, problem in checked if problem]
    if len(invalidate) > MAX_PATTERNS:
        too_many = f"has {len(invalidate)} patterns; CloudFront invalidates {MAX_PATTERNS} at a time"
        problems.append(Problem("invalidate", f"{too_many}; combine them, or warm in several runs"))
    return problems


def covers(pattern: str, path: str) -> bool:
    """Return whether a pattern invalidates a path; both are percent-encoded, and letter case counts."""
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
