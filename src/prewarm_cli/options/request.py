"""Options for every field of the API's request."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.request_input import STDIN, merge_headers, parse_source, read_request, read_urls

URLS, BEHAVIOUR, POPS = "URLs", "Warming", "POPs"
# Options whose value is the request field's value.
UNCHANGED_FIELDS = (
    "cf_domain",
    "user_agent",
    "invalidate",
    "verify",
    "timeout_minutes",
    "max_concurrency",
    "max_rps",
    "staged",
    "fail_on",
    "strict_sources",
    "min_warm_percent",
    "max_bytes",
    "allow_unknown_pops",
    "dry_run",
    "label",
)


def request_of(  # noqa: C901 - one branch per option
    *,
    urls: Annotated[list[str] | None, typer.Argument(metavar="URL", help="URLs to warm.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="A list of URLs: text with comments after #, CSV, JSON, or names separated by NUL; - reads stdin. "
            "Repeatable.",
            rich_help_panel=URLS,
        ),
    ] = None,
    request_file: Annotated[
        Path | None,
        typer.Option(
            "--request",
            metavar="FILE",
            help="A JSON file with the API's request body; - reads stdin. Options override its fields.",
            rich_help_panel=URLS,
        ),
    ] = None,
    url_list_s3: Annotated[
        list[str] | None,
        typer.Option(metavar="S3-URI", help="A list of URLs in S3: s3://bucket/key.", rich_help_panel=URLS),
    ] = None,
    sitemap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A sitemap's URL or s3:// address, or a source in JSON with include, exclude or since.",
            rich_help_panel=URLS,
        ),
    ] = None,
    manifest: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="An HLS or DASH manifest's URL, or a source in JSON with renditions or max_segments.",
            rich_help_panel=URLS,
        ),
    ] = None,
    strict_sources: Annotated[
        bool | None,
        typer.Option(
            "--strict-sources/--no-strict-sources",
            help="Refuse a sitemap or manifest with an entry that cannot be warmed; --no-strict-sources: accept it "
            "even if more than half of its entries are skipped.",
            rich_help_panel=URLS,
        ),
    ] = None,
    cf_domain: Annotated[
        str | None,
        typer.Option(metavar="DOMAIN", help="Warm only URLs of this distribution.", rich_help_panel=URLS),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A region: apac au ca sa eu jp us me af mx, or all. Repeatable, or comma-separated.",
            rich_help_panel=POPS,
        ),
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A country, such as india or IN.", rich_help_panel=POPS),
    ] = None,
    pop: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A POP, such as ATL56-C1.", rich_help_panel=POPS)
    ] = None,
    allow_unknown_pops: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-pops/--no-allow-unknown-pops",
            help="Accept POP ids that are not in the catalogue.",
            rich_help_panel=POPS,
        ),
    ] = None,
    accept_encoding: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE",
            help='A variant to warm: an Accept-Encoding value, such as "br, gzip" or identity. Repeatable.',
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:VALUE",
            help="A request header, for cache keys that include it. Put secrets into a --request file: other users "
            "can read the command line in the process list.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    user_agent: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The User-Agent header sent to the edge.", rich_help_panel=BEHAVIOUR),
    ] = None,
    invalidate: Annotated[
        bool | None,
        typer.Option(
            "--invalidate/--no-invalidate",
            help="Invalidate the URLs first and wait, then warm.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    invalidate_path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help='Invalidate this path pattern instead, such as "/assets/*". Repeatable; the stack must allow it.',
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    verify: Annotated[
        Literal["none", "sample", "all"] | None,
        typer.Option(
            help="Verify with a second fetch that the POP has cached the object.", rich_help_panel=BEHAVIOUR
        ),
    ] = None,
    timeout_minutes: Annotated[
        int | None,
        typer.Option(help="Timeout of the run in minutes; unfinished targets fail.", rich_help_panel=BEHAVIOUR),
    ] = None,
    max_concurrency: Annotated[
        int | None, typer.Option(help="Concurrency: batches warmed at the same time.", rich_help_panel=BEHAVIOUR)
    ] = None,
    max_rps: Annotated[
        float | None, typer.Option(help="Requests per second of the whole run.", rich_help_panel=BEHAVIOUR)
    ] = None,
    staged: Annotated[
        bool | None,
        typer.Option(
            "--staged/--no-staged",
            help="Warm one POP per regional edge cache first, then the others: fewer requests to the origin.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    fail_on: Annotated[
        Literal["any", "none"] | None,
        typer.Option(help="none: the run succeeds even if URLs fail.", rich_help_panel=BEHAVIOUR),
    ] = None,
    min_warm_percent: Annotated[
        float | None,
        typer.Option(help="Percentage of a URL's reachable targets that must be warm.", rich_help_panel=BEHAVIOUR),
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(help="Bodies larger than this fail as too_large.", rich_help_panel=BEHAVIOUR)
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="A name by which you find the run in the list.", rich_help_panel=BEHAVIOUR),
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run/--no-dry-run",
            help="Print what the run would do and cost, without warming.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
) -> dict[str, Any]:
    """Return a request made of a file's fields, overridden by the options.

    The values are left to the API to check, which returns all problems in one response.

    Raises:
        CommandFailed: a file cannot be read, or the options contradict each other.

    """
    options = locals()
    if [*(file or []), request_file].count(STDIN) > 1:
        raise CommandFailed("stdin can be read only once: pass - to either --file or --request")
    request = read_request(request_file) if request_file else {}
    if urls or file:
        request["url_list"] = [*(urls or []), *(url for path in file or [] for url in read_urls(path))]
        if not request["url_list"]:
            raise CommandFailed("no URLs in " + " and ".join(str(path) for path in file or []))
    request |= {name: options[name] for name in UNCHANGED_FIELDS if options[name] is not None}
    if invalidate_path and invalidate is not None:
        raise CommandFailed("--invalidate and --invalidate-path cannot be combined: pass one of them")
    lists = {"url_list_s3": url_list_s3, "accept_encodings": accept_encoding, "invalidate": invalidate_path}
    request |= {name: listed for name, listed in lists.items() if listed}
    for name in ("sitemap", "manifest"):
        if options[name]:
            request[name] = [parse_source(text, name) for text in options[name]]
    if header:
        request["headers"] = merge_headers(request.get("headers"), header)
    kinds = [name for name in ("region", "country", "pop") if options[name]]
    if len(kinds) > 1:
        raise CommandFailed(f"{' and '.join('--' + kind for kind in kinds)} cannot be combined: pass one of them")
    if kinds:
        request.pop("target_type", None)
        names = [name.strip() for text in options[kinds[0]] for name in text.split(",") if name.strip()]
        request |= {"region_type": kinds[0], "region": names}
    elif not request_file:
        raise CommandFailed("no POPs selected: pass --region, --country or --pop")
    if not request_file and not any(request.get(name) for name in ("url_list", "url_list_s3", "sitemap", "manifest")):
        raise CommandFailed("no URLs to warm: pass URLs, --file, --sitemap, --manifest, --url-list-s3 or --request")
    return request
