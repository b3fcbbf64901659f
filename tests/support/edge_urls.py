"""New URLs of the simulated site; counted here, since pytest imports conftest.py as two modules."""

import itertools

HOST = "www.example.com"

_paths = itertools.count()


def fresh(count: int = 1, host: str = HOST, scheme: str = "https") -> list[str]:
    """Return URLs that no test has requested, so that no cache of the shared simulation holds them."""
    return [f"{scheme}://{host}/fresh/{next(_paths)}" for _ in range(count)]


def path_of(url: str) -> str:
    """Return the path and query of a URL, the key of the simulation's faults and counters."""
    return "/" + url.split("/", 3)[3]
