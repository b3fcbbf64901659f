"""The colours of the dashboard and the report: their contrast, and that both say the same with the same colour.

Contrast as WCAG 2.2 defines it: at least 4.5:1 for text (1.4.3), 3:1 for graphics (1.4.11).
"""

import re
from importlib import resources

import pytest

from api.dashboard.page import FILES

TEXT, GRAPHICS = 4.5, 3.0
STYLE = (FILES / "style.css").read_text(encoding="utf-8")
REPORT = resources.files("aggregate").joinpath("data/report.html").read_text(encoding="utf-8")
STATES = ("success", "failure", "running", "cancelled")
SCHEMES = ("light", "dark")


def tokens(style: str, scheme: str) -> dict[str, str]:
    """Return the colours by name, as #rrggbb."""
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    found: dict[str, str] = {}
    for block in blocks[: 1 + SCHEMES.index(scheme)]:
        for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", block):
            found[name] = value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
    return found


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_has_a_contrast_of_4_5_on_every_ground(scheme: str) -> None:
    colour = tokens(STYLE, scheme)
    pairs = [(text, ground) for text in ("ink", "soft", "accent") for ground in ("ground", "surface", "sunk")]
    pairs += [(state, ground) for state in STATES for ground in ("surface", f"{state}-ground")]
    pairs += [("ink", f"{state}-ground") for state in STATES] + [("on-accent", "accent")]
    assert {
        pair: contrast(colour[pair[0]], colour[pair[1]])
        for pair in pairs
        if contrast(colour[pair[0]], colour[pair[1]]) < TEXT
    } == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_marks_and_bars_have_a_contrast_of_3(scheme: str) -> None:
    colour = tokens(STYLE, scheme)
    # `sunk` is behind the map and the bar of progress; `surface` behind the other bars and the fields.
    pairs = [(state, ground) for state in (*STATES, "edge", "focus") for ground in ("sunk", "surface")]
    # The diamond in a mark of a partly warm city has a rim of `surface` between the two colours.
    pairs += [("surface", "success"), ("surface", "failure")]
    assert {
        pair: contrast(colour[pair[0]], colour[pair[1]])
        for pair in pairs
        if contrast(colour[pair[0]], colour[pair[1]]) < GRAPHICS
    } == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_report_has_the_dashboards_colours_with_the_same_contrast(scheme: str) -> None:
    own, report = tokens(STYLE, scheme), tokens(REPORT, scheme)
    for name, state in (("good", "success"), ("bad", "failure"), ("running", "running"), ("cancelled", "cancelled")):
        assert report[name] == own[state]
        assert contrast(report[name], report["card"]) >= TEXT
    assert contrast(report["soft"], report["paper"]) >= TEXT


def hue_of(colour: str) -> str:
    """Return the part of a colour that stands out, or grey."""
    parts = dict(zip(("red", "green", "blue"), (int(colour[i : i + 2], 16) for i in (1, 3, 5)), strict=True))
    largest = max(parts, key=parts.__getitem__)
    return (
        largest
        if parts[largest] > 1.4 * sorted(parts.values())[1] or parts[largest] - min(parts.values()) > 90
        else "grey"
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_success_is_green_failure_red_running_blue_cancelled_grey(scheme: str) -> None:
    colour = tokens(STYLE, scheme)
    assert [hue_of(colour[state]) for state in STATES] == ["green", "red", "blue", "grey"]


@pytest.mark.parametrize(
    ("selector", "state"),
    [
        (".chip.completed", "success"),
        (".chip.failed, .chip.timeout, .chip.not_warm", "failure"),
        (".chip.in_progress", "running"),
        (".chip.cancelled", "cancelled"),
        (".meter div", "success"),
        (".meter div:nth-child(2)", "failure"),
        (".meter div:nth-child(3)", "cancelled"),
        (".warm .core, .partly .core", "success"),
        (".failed .ring", "failure"),
        (".city.warming .ring", "running"),
        (".state.warm, .good", "success"),
    ],
)
def test_rule_uses_the_colour_of_its_state(selector: str, state: str) -> None:
    (rule,) = re.findall(rf"^{re.escape(selector)} \{{(.*?)\}}", STYLE, re.MULTILINE | re.DOTALL)
    used = set(re.findall(r"var\(--(success|failure|running|cancelled)\b", rule))
    assert used == {state}
