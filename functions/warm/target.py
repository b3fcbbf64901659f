"""One target of a batch: a URL, a POP and a variant, and the state of its fetches."""

from dataclasses import dataclass

from prewarm.fetcher.response import Response


@dataclass(slots=True)
class Target:
    """One URL x POP x variant, by indices within the batch, and the state of its fetches.

    `verify`: a Miss is followed by another fetch that has to be a Hit; `first` is the first complete response of such
    a target, `misses` counts its complete responses that prove nothing, `repeats` the others that are followed by
    another fetch. `tries` counts all its fetches, `bytes` is the sum of their bytes. `fetched`: an earlier worker
    fetched it completely and did not verify it. Bitmaps of the POP's addresses: `filled` have answered with the copy,
    `own` had to fetch it although another one had it, `proven` have shown that they keep it, `plain_at` have answered
    without a Content-Encoding where one was expected; `plain_asks` counts the further fetches for that. `elsewhere`:
    the copy was found at another address than the one that fetched it. `miss` is the response to the very first
    fetch, if that was a complete Miss of the POP, and `missed_at` when it came, in seconds since the run began;
    `before`: it was a hit of a copy that is older than the run; `spared_ms`: how much later the first byte of `miss`
    came than that of the proof, None without both; `held_at`: since when it was held for other targets' proofs, in
    epoch seconds, else 0. `carried`: how many of `tries` earlier workers made. `broke_off`: a POP has answered a
    fetch that failed, so it is not silent.

    In a regional run (carriers.py): `place` is the POP of the area that is asked now, `asked` a bitmap of those that
    need not be asked again, `filler` the POP whose response is `first` (-1: no other than `place`), `cause` why no
    proof was found.
    """

    number: int
    url: int
    pop: int
    variant: int
    verify: bool
    tries: int = 0
    misses: int = 0
    bytes: int = 0
    first: Response | None = None
    fetched: bool = False
    repeats: int = 0
    filled: int = 0
    own: int = 0
    proven: int = 0
    elsewhere: bool = False
    plain_at: int = 0
    plain_asks: int = 0
    place: int = 0
    asked: int = 0
    filler: int = -1
    cause: str = ""
    miss: Response | None = None
    missed_at: float = 0.0
    before: bool = False
    spared_ms: float | None = None
    held_at: float = 0.0
    carried: int = 0
    broke_off: bool = False

    @property
    def answered(self) -> bool:
        """Return whether a POP has answered a fetch of the target."""
        return self.broke_off or self.fetched or self.first is not None
