"""What a run's targets are, in words. Pure; every text that counts targets explains it the first time."""

from prewarm.counted import count_of

TIMES = " × "  # noqa: RUF001 - the sign of multiplication is meant


def target_text(targets: int, pops: int | None, variants: int) -> str:
    """Return what a run's targets are: a product, such as 24 URLs x 384 POPs, or what each of them is.

    `pops` of each URL, None where URLs differ in it or it is unknown; `variants` of each URL, 0 if unknown.
    """
    if not pops or not variants or targets % (pops * variants):
        return "each one URL at one POP" + (", in one encoding" if variants > 1 else "")
    factors = [count_of(targets // (pops * variants), "URL"), count_of(pops, "POP")]
    return TIMES.join(factors + ([f"{variants} encodings"] if variants > 1 else []))
