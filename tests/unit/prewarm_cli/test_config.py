"""Address and key from arguments and file; the file's key is used only with the file's address."""

import os
import stat
from pathlib import Path

import pytest

from prewarm_cli.config import (
    Connection,
    check_connection,
    config_file,
    read_config,
    resolve_connection,
    write_config,
)
from prewarm_cli.errors import CommandFailed

FILED = Connection("https://filed.example.com/v1", "filed-key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "prewarm" / "config.toml"
    write_config(file, FILED)
    return file


def test_file_is_used_without_arguments(path: Path) -> None:
    assert resolve_connection(None, None, path) == FILED
    assert resolve_connection("", "", path) == FILED


def test_arguments_override_the_file(path: Path) -> None:
    given = Connection("https://given.example.com/v1", "given-key")
    assert resolve_connection("https://given.example.com/v1/", "given-key", path) == given
    assert resolve_connection(None, "given-key", path) == Connection(FILED.url, "given-key")
    assert resolve_connection(FILED.url + "/", None, path) == FILED


def test_file_key_is_not_used_with_another_address(path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"no API key for https://other\.example\.com"):
        resolve_connection("https://other.example.com/v1", None, path)


def test_missing_address_exits_2_and_mentions_configure(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="prewarm configure") as failed:
        resolve_connection(None, None, tmp_path / "absent.toml")
    assert failed.value.code == 2


def test_arguments_alone_do_not_read_the_file(tmp_path: Path) -> None:
    broken = tmp_path / "config.toml"
    broken.write_text("this is = = no TOML")
    assert resolve_connection("https://x.example.com/v1", "k", broken).key == "k"
    with pytest.raises(CommandFailed, match="to rewrite the file"):
        resolve_connection(None, None, broken)


def test_file_is_private_and_written_atomically(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write_config(path, Connection("https://x.example.com", 'k"\\'))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_config(path) == {"api_url": "https://x.example.com", "api_key": 'k"\\'}
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_file_readable_by_others_prints_a_warning(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_config(path)
    assert capsys.readouterr().err == ""
    path.chmod(0o640)
    read_config(path)
    assert "chmod 600" in capsys.readouterr().err


def test_config_file_follows_xdg_config_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
def test_invalid_address_or_key_is_rejected(url: str, key: str) -> None:
    with pytest.raises(CommandFailed):
        check_connection(url, key)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1"])
def test_loopback_address_may_use_http(url: str) -> None:
    assert check_connection(url, "k").url == url
