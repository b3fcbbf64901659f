"""Address and key: options before the environment before the file; the file's key is for its own address alone."""

import os
import stat
from pathlib import Path

import pytest

from prewarm_cli.config import Connection, config_file, connection, read_config, settle, write_config
from prewarm_cli.errors import CommandFailed

FILED = Connection("https://filed.example.com/v1", "filed-key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "prewarm" / "config.toml"
    write_config(file, FILED)
    return file


def test_the_file_is_used_where_nothing_is_given(path: Path) -> None:
    assert settle(None, None, path) == FILED
    assert settle("", "", path) == FILED


def test_what_is_given_comes_first(path: Path) -> None:
    given = Connection("https://given.example.com/v1", "given-key")
    assert settle("https://given.example.com/v1/", "given-key", path) == given
    assert settle(None, "given-key", path) == Connection(FILED.url, "given-key")
    assert settle(FILED.url + "/", None, path) == FILED


def test_the_files_key_is_sent_nowhere_but_to_the_files_address(path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"no API key for https://other\.example\.com"):
        settle("https://other.example.com/v1", None, path)


def test_nothing_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="prewarm configure") as failed:
        settle(None, None, tmp_path / "absent.toml")
    assert failed.value.code == 2


def test_what_is_given_needs_no_file(tmp_path: Path) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text("this is = = no TOML")
    assert settle("https://x.example.com/v1", "k", broken).key == "k"
    with pytest.raises(CommandFailed, match="write it anew"):
        settle(None, None, broken)


def test_the_file_is_for_its_owner_alone_and_written_whole(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write_config(path, Connection("https://x.example.com", 'k"\\'))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_config(path) == {"api_url": "https://x.example.com", "api_key": 'k"\\'}
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_a_file_that_others_may_read_is_warned_of(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_config(path)
    assert capsys.readouterr().err == ""
    path.chmod(0o640)
    read_config(path)
    assert "chmod 600" in capsys.readouterr().err


def test_the_file_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file() == tmp_path / "prewarm" / "config.toml"
    monkeypatch.setenv("HOME", os.fspath(tmp_path / "home"))
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CONFIG_HOME", ignored)
        assert config_file() == tmp_path / "home" / ".config" / "prewarm" / "config.toml"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("ftp://x.example.com", "k"),
        ("x.example.com/v1", "k"),
        ("https://", "k"),
        ("https://x.example.com/v1?stage=1", "k"),
        ("https://x.example.com/v1", "two words"),
        ("https://x.example.com/v1", "k\x00"),
        ("https://x.example.com/ä", "k"),
        ("http://x.example.com/v1", "k"),
    ],
)
def test_what_can_be_no_address_or_key_is_refused(url: str, key: str) -> None:
    with pytest.raises(CommandFailed):
        connection(url, key)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"])
def test_this_machine_needs_no_tls(url: str) -> None:
    assert connection(url, "k").url == url
