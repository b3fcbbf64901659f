"""Make a request of the values of the options, which options/request.py declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.bad_values import check_finite
from prewarm_cli.options.request_input import (
    STDIN,
    merge_headers,
    name_of,
    parse_source,
    read_numbered_urls,
    read_request,
    read_targets,
)
from prewarm_cli.options.user_request import OPTIONS, UserRequest

if TYPE_CHECKING:
    from pathlib import Path

# Options whose value is the request field's value.
UNCHANGED_FIELDS = (
    "targets_s3",
    "nearest",
    "cf_domain",
    "user_agent",
    "invalidate",
    "verify",
    "timeout_minutes",
    "max_concurrency",
    "max_rps",
    "staged",
    "tier",
    "fail_on",
    "strict_sources",
    "min_warm_percent",
    "max_bytes",
    "allow_unknown_pops",
    "dry_run",
    "label",
)


# What a CSV of targets cannot stand next to (prewarm.request.field_problems).
OTHER_SOURCES = ("url_list_s3", "sitemap", "manifest")


def build_request(options: dict[str, Any]) -> UserRequest:
    """Return a request made of a file's fields, overridden by the options; `options`: their values by parameter.

    Raises:
        CommandFailed: a file cannot be read, or the options contradict each other.

    """
    file, request_file, urls = options["file"], options["request_file"], options["urls"]
    invalidate, invalidate_path, header = options["invalidate"], options["invalidate_path"], options["header"]
    if [*(file or []), request_file, options["targets"]].count(STDIN) > 1:
        raise CommandFailed("stdin can be read only once: pass - to one of --file, --request and --targets")
    request = _filed_request(request_file)
    read = [("--file", path) for path in file or []]
    read += [("--request", request_file), ("--targets", options["targets"])]
    request.read = [(option, path) for option, path in read if path is not None and path != STDIN]
    if urls or file:
        _set_urls(request, urls or [], file or [])
    values = {name: options[name] for name in UNCHANGED_FIELDS if options[name] is not None}
    check_finite(values)
    if invalidate_path and invalidate is not None:
        raise CommandFailed("--invalidate and --invalidate-path cannot be combined: pass one of them")
    lists = {
        "url_list_s3": options["url_list_s3"],
        "accept_encodings": options["accept_encoding"],
        "invalidate": invalidate_path,
    }
    values |= {name: listed for name, listed in lists.items() if listed}
    for name in ("sitemap", "manifest"):
        if options[name]:
            values[name] = [parse_source(text, name) for text in options[name]]
    if header:
        values["headers"] = merge_headers(_filed_headers(request), header)
    request |= values
    request.options |= {name: OPTIONS.get(name, "--" + name.replace("_", "-")) for name in values}
    if invalidate_path:
        request.options["invalidate"] = "--invalidate-path"
    _set_targets(request, options["targets"])
    _set_pops(request, options)
    sources = ("url_list", "url_list_s3", "sitemap", "manifest", "targets_s3")
    if not request_file and not request.targets and not any(request.get(name) for name in sources):
        listed = "URLs, --file, --sitemap, --manifest, --url-list-s3, --targets or --request"
        raise CommandFailed(f"no URLs to warm: pass {listed}")
    return request


def _filed_headers(request: UserRequest) -> dict[str, str] | None:
    """Return the headers of a --request file, None without any; refuse those that cannot be merged."""
    filed = request.get("headers")
    if not isinstance(filed, dict | None):
        raise CommandFailed(f"{request.place_of('headers')}: must be an object, to which --header adds")
    return filed


def _set_targets(request: UserRequest, path: Path | None) -> None:
    """Read a CSV of targets, which is uploaded when the request is sent.

    Raises:
        CommandFailed: it cannot be read, is damaged, or stands next to --targets-s3.

    """
    if path is None:
        return
    if request.get("targets_s3"):
        raise CommandFailed("--targets and --targets-s3 cannot be combined: pass one of them")
    for name in OTHER_SOURCES:
        if request.get(name):
            option = request.options.get(name, name)
            raise CommandFailed(f"--targets and {option} cannot be combined: start a run for each")
    if request.get("tier") == "regional":
        raise CommandFailed("--targets and --tier regional cannot be combined: the pairs name POPs; use --tier edge")
    request.targets = read_targets(path)
    request.options["targets_s3"] = "--targets"


def _set_pops(request: UserRequest, options: dict[str, Any]) -> None:
    """Set a request's selection of POPs.

    Raises:
        CommandFailed: the options select none, or contradict each other.

    """
    kinds = [name for name in ("region", "country", "pop") if options[name]]
    if len(kinds) > 1:
        raise CommandFailed(f"{' and '.join('--' + kind for kind in kinds)} cannot be combined: pass one of them")
    if kinds:
        request.pop("target_type", None)
        names = [name.strip() for text in options[kinds[0]] for name in text.split(",") if name.strip()]
        request |= {"region_type": kinds[0], "region": names}
        request.options["region"] = f"--{kinds[0]}"
    elif not (options["request_file"] or request.targets or request.get("targets_s3")):
        raise CommandFailed("no POPs selected: pass --region, --country or --pop")


def _filed_request(path: Path | None) -> UserRequest:
    """Return the request of a --request file, an empty one without a file."""
    if path is None:
        return UserRequest()
    document, text = read_request(path)
    request = UserRequest(document)
    request.file = (name_of(path), text)
    return request


def _set_urls(request: UserRequest, urls: list[str], files: list[Path]) -> None:
    """Set a request's URLs, each with the place where it was written.

    Raises:
        CommandFailed: the files contain no URL.

    """
    request["url_list"], request.urls = list(urls), [f"URL {number}" for number, _ in enumerate(urls, 1)]
    if len(urls) == 1:
        request.urls = ["URL"]
    for path in files:
        numbered = read_numbered_urls(path)
        request["url_list"] += [url for _, url in numbered]
        request.urls += [f"{name_of(path)} line {number}" for number, _ in numbered]
    request.options["url_list"] = "--file" if files and not urls else "URL"
    if not request["url_list"]:
        raise CommandFailed("--file " + " and ".join(map(name_of, files)) + ": contains no URLs")
