"""Numbers of bytes as text. Pure."""

BYTE_UNITS = ("kB", "MB", "GB", "TB", "PB")


def format_bytes(count: float) -> str:
    """Return a number of bytes with a decimal unit, such as `1.5 MB`."""
    unit = "B"
    for larger_unit in BYTE_UNITS:
        if count < 1000:  # noqa: PLR2004 - the next unit
            break
        count, unit = count / 1000, larger_unit
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
