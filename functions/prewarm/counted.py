"""A number with its noun, as every text output writes it. Pure."""


def count_of(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as "1 URL", "1,200 URLs" or, with `plural`, "2 batches"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
