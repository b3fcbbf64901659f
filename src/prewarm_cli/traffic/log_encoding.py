"""The percent-encoding of access logs, and the SQL that undoes it. Pure."""

from __future__ import annotations

# The characters that CloudFront percent-encodes in values (Developer Guide, "Standard log file format"), but for
# those that a URL cannot contain as they are: space, number sign, backslash. The percent sign is last, so that
# exactly one layer is undone: `%2520` becomes `%20`.
ENCODED = {
    "%3C": "<", "%3E": ">", "%22": '"', "%7B": "{", "%7D": "}", "%7C": "|", "%5E": "^", "%7E": "~", "%5B": "[",
    "%5D": "]", "%60": "`", "%27": "'", "%25": "%",
}  # fmt: skip
NOT_IN_URLS = {"%20": " ", "%23": "#", "%5C": "\\"}


def decoded(expression: str) -> str:
    """Return the SQL that undoes one layer of CloudFront's percent-encoding."""
    inner = expression
    for code, sign in ENCODED.items():
        inner = f"replace({inner}, {literal(code)}, {literal(sign)})"
    # Most paths have no sign of these but the percent sign, whose replacement alone takes a tenth of the time.
    *rare, _ = (code.removeprefix("%") for code in ENCODED)
    percent = f"replace({expression}, '%25', '%')"
    return (
        f"(CASE WHEN NOT contains({expression}, '%') THEN {expression} "
        f"WHEN regexp_matches({expression}, '%(?:{'|'.join(rare)})') THEN {inner} ELSE {percent} END)"
    )


def encode_as_logged(text: str) -> str:
    """Return a text as a log's value has it, to compare it with one."""
    signs = {sign: code for code, sign in (ENCODED | NOT_IN_URLS).items()}
    return "".join(signs.get(sign, sign if " " < sign < "\x7f" else _bytes(sign)) for sign in text)


def _bytes(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode())


def literal(text: str) -> str:
    """Return a text as a string literal of standard SQL."""
    return "'" + text.replace("'", "''") + "'"
