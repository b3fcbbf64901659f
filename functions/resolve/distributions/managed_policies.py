"""CloudFront's managed policies, in the form of GetOriginRequestPolicy and GetResponseHeadersPolicy. Pure.

Names, ids and settings are documented and do not change (Developer Guide, "Use managed origin request policies", "Use
managed response headers policies"), so they need no call and no permission.
"""

from collections.abc import Mapping
from typing import Any

PREFLIGHT = ("Access-Control-Request-Headers", "Access-Control-Request-Method")
# AllViewerAndCloudFrontHeaders-2022-06 adds the CloudFront headers of that month.
CLOUDFRONT_2022_06 = tuple(
    f"CloudFront-{name}"
    for name in (
        "Forwarded-Proto", "Is-Android-Viewer", "Is-Desktop-Viewer", "Is-IOS-Viewer", "Is-Mobile-Viewer",
        "Is-SmartTV-Viewer", "Is-Tablet-Viewer", "Viewer-Address", "Viewer-ASN", "Viewer-City", "Viewer-Country",
        "Viewer-Country-Name", "Viewer-Country-Region", "Viewer-Country-Region-Name", "Viewer-Http-Version",
        "Viewer-Latitude", "Viewer-Longitude", "Viewer-Metro-Code", "Viewer-Postal-Code", "Viewer-Time-Zone",
        "Viewer-TLS",
    )
)  # fmt: skip


def _origin_request(name: str, behaviour: str, headers: tuple[str, ...] = (), others: str = "none") -> dict[str, Any]:
    return {
        "Name": f"Managed-{name}",
        "HeadersConfig": {"HeaderBehavior": behaviour, "Headers": {"Quantity": len(headers), "Items": list(headers)}},
        "CookiesConfig": {"CookieBehavior": "all" if others == "all" else "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none" if others == "none" else "all"},
    }


def _cors(name: str) -> dict[str, Any]:
    # Where the origin sends such a header itself, its value stays.
    origins = {"Quantity": 1, "Items": ["*"]}
    return {"Name": f"Managed-{name}", "CorsConfig": {"AccessControlAllowOrigins": origins, "OriginOverride": False}}


ORIGIN_REQUEST: Mapping[str, Mapping[str, Any]] = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": _origin_request("AllViewer", "allViewer", (), "all"),
    "33f36d7e-f396-46d9-90e0-52428a34d9dc": _origin_request(
        "AllViewerAndCloudFrontHeaders-2022-06", "allViewerAndWhitelistCloudFront", CLOUDFRONT_2022_06, "all"
    ),
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": _origin_request(
        "AllViewerExceptHostHeader", "allExcept", ("Host",), "all"
    ),
    "59781a5b-3903-41f3-afcb-af62929ccde1": _origin_request("CORS-CustomOrigin", "whitelist", ("Origin",)),
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": _origin_request("CORS-S3Origin", "whitelist", ("Origin", *PREFLIGHT)),
    "775133bc-15f2-49f9-abea-afb2e0bf67d2": _origin_request(
        "Elemental-MediaTailor-PersonalizedManifests",
        "whitelist",
        ("Origin", *PREFLIGHT, "User-Agent", "X-Forwarded-For"),
        "queries",
    ),
    "bf0718e1-ba1e-49d1-88b1-f726733018ae": _origin_request("HostHeaderOnly", "whitelist", ("Host",)),
    "acba4595-bd28-49b8-b9fe-13317c0390fa": _origin_request(
        "UserAgentRefererHeaders", "whitelist", ("User-Agent", "Referer")
    ),
}
RESPONSE_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "60669652-455b-4ae9-85a4-c4c02393f86c": _cors("SimpleCORS"),
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd": _cors("CORS-With-Preflight"),
    "e61eb60c-9c35-4d20-a928-2b84e02af89c": _cors("CORS-and-SecurityHeadersPolicy"),
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63": _cors("CORS-with-preflight-and-SecurityHeadersPolicy"),
    "67f7725c-6f97-4210-82d7-5512b31e9d03": {"Name": "Managed-SecurityHeadersPolicy"},
}
