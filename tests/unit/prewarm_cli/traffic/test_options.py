"""Options of `prewarm traffic` that could match nothing are refused with their names."""

import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.options import selection_of
from prewarm_cli.traffic.sizes import memory_mb, size_of


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        (["www.example.com", "WWW.Example.com."], ("www.example.com",)),
        ([" img.example.com "], ("img.example.com",)),
        (["k\u00f6ln.example"], ("xn--kln-sna.example",)),
        ([], ()),
    ],
)
def test_host_is_normalised_as_logs_have_it(given: list[str], hosts: tuple[str, ...]) -> None:
    assert selection_of(host=given).hosts == hosts


@pytest.mark.parametrize("host", ["", " ", "https://www.example.com/", "www.example.com/a", "a.example:443", "*.a.b"])
def test_host_that_is_not_a_name_is_refused(host: str) -> None:
    with pytest.raises(CommandFailed, match=r"--host: .* is not a host name; pass only the name"):
        selection_of(host=["www.example.com", host])


@pytest.mark.parametrize("option", ["include", "exclude"])
def test_pattern_that_can_match_no_path_is_refused(option: str) -> None:
    for pattern in ("", " ", " /a", "/a ", "https://www.example.com/a", "HTTP://a/*"):
        with pytest.raises(CommandFailed, match=f"--{option}: .* matches no path; write only the path"):
            selection_of(**{option: [pattern]})  # type: ignore[arg-type]
    patterns = ("/a", "a/*", "*.css", "*", "/a?u=https://b/")
    assert getattr(selection_of(**{option: list(patterns)}), option) == patterns  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["99999999TB", "1001TB", "9" * 30, "99999999999999999TiB"])
def test_size_that_no_machine_has_is_refused(text: str) -> None:
    with pytest.raises(CommandFailed, match=r"--memory: .* is too large; use at most 1,000TB"):
        memory_mb(text)


def test_size_with_a_number_of_any_length_is_refused() -> None:
    with pytest.raises(CommandFailed, match=r"--disk: .* is not a size"):
        size_of("--disk", "9" * 5_000)
