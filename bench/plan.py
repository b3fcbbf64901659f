"""Seconds and memory of ResolveTargets for a big run: planning, batching and storing URLs x all POPs.

    .venv/bin/python -m bench.plan --urls 10000            # 10,000 URLs in the request, all POPs
    .venv/bin/python -m bench.plan --urls 1000000 --s3     # a million of them, listed in S3

bench/resolving.py says what is measured.
"""

import argparse
from typing import Any

from bench.resolving import HOST, Resolved, resolver


def measure(urls: int = 10_000, *, s3: bool = False) -> Resolved:
    """Plan a run of so many URLs through all POPs; `s3`: they are listed in S3 instead of the request."""
    listed = [f"https://{HOST}/assets/release-2026-11/chunk-{number:07}.js?v=1" for number in range(urls)]
    request: dict[str, Any] = {"region_type": "region", "region": "all"}
    with resolver() as function:
        if s3:
            request["url_list_s3"] = function.put_list("bench.txt", "\n".join(listed).encode())
        else:
            request["url_list"] = listed
        return function.plan(request)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--urls", type=int, default=10_000)
    options.add_argument("--s3", action="store_true", help="list the URLs in S3 instead of the request")
    chosen = options.parse_args()
    print(f"{chosen.urls:,} URLs x all POPs:")
    for line in measure(chosen.urls, s3=chosen.s3).lines():
        print(f"  {line}")


if __name__ == "__main__":
    main()
