"""URLs of the simulated site that nobody has asked for; counted here, since pytest has conftest.py as two modules."""

import itertools

HOST = "www.example.com"

_paths = itertools.count()


def fresh(count: int = 1, host: str = HOST, scheme: str = "https") -> list[str]:
    """URLs that no test has asked for before, so that no cache of the shared simulation holds them."""
    return [f"{scheme}://{host}/fresh/{next(_paths)}" for _ in range(count)]


def path_of(url: str) -> str:
    """The path and query of a URL, as the simulation's faults and counters name it."""
    return "/" + url.split("/", 3)[3]
