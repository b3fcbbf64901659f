"""The variants of a run: those of the request, or what browsers send by the URL's scheme."""

import pytest

from resolve.variants import variants_of
from tests.support.builders import parsed

SECURE, PLAIN = "https://www.example.com/", "http://www.example.com/"


@pytest.mark.parametrize(
    ("urls", "variants", "over_http"),
    [
        ([SECURE], ("br, gzip",), ()),
        ([PLAIN, PLAIN + "b"], ("gzip",), ()),
        ([SECURE, PLAIN], ("br, gzip",), ("gzip",)),
        ([PLAIN, SECURE], ("br, gzip",), ("gzip",)),
    ],
)
def test_default_is_what_browsers_send_by_scheme(
    urls: list[str], variants: tuple[str, ...], over_http: tuple[str, ...]
) -> None:
    assert variants_of(None, parsed(*urls)) == (variants, over_http)


def test_listed_variants_are_sent_with_both_schemes() -> None:
    assert variants_of(["identity", "br", "br"], parsed(SECURE, PLAIN)) == (("br", "identity"), ())
