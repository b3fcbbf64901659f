"""What a client has to do in a run of the comparison."""

from dataclasses import dataclass

# A client gives up a single fetch after so long.
FETCH_SECONDS = 60


class PeerFailed(Exception):
    """A client did not fetch everything; the message has the reason."""


@dataclass(frozen=True)
class Job:
    """What to fetch: paths x POPs, at the addresses of the POPs. `form`: one of the client's forms."""

    paths: list[str]
    addresses: dict[str, str]
    port: int
    ca: str
    form: int = 0

    @property
    def wanted(self) -> int:
        """Return the number of fetches."""
        return len(self.paths) * len(self.addresses)
