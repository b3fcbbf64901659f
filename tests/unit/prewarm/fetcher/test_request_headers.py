"""Header lines in the form that libcurl expects."""

from prewarm import __version__
from prewarm.fetcher.request_headers import DEFAULT_USER_AGENT, header_lines


def test_default_user_agent_names_the_service_and_its_version() -> None:
    assert f"CloudFront-Prewarm/{__version__}" == DEFAULT_USER_AGENT
    assert header_lines({}) == [f"User-Agent: {DEFAULT_USER_AGENT}"]


def test_accept_encoding_and_user_agent_precede_the_other_headers() -> None:
    lines = header_lines({"X-A": "1"}, "me", "br, gzip")
    assert lines == ["Accept-Encoding: br, gzip", "User-Agent: me", "X-A: 1"]


def test_empty_accept_encoding_is_the_line_with_which_libcurl_sends_none() -> None:
    assert header_lines({}, "me", "")[0] == "Accept-Encoding: "


def test_empty_header_is_sent_instead_of_dropped() -> None:
    assert header_lines({"X-Empty": " "}, "me")[1:] == ["X-Empty;"]
