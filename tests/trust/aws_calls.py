"""What a call to AWS is: service, operation and what it concerns, such as `s3:PUT records` or `dynamodb:put part`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
ATTEMPT = re.compile(r"^[0-9a-f]{32}/")
DOCUMENT = re.compile(r"/[^/]+/runs/[^/]+/(.+)")


@dataclass(frozen=True)
class Call:
    """A request as the functions sent it; `client` is the port of the process that sent it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: int

    @property
    def service(self) -> str:
        """Return the service's signing name."""
        found = CREDENTIAL.search(self.headers.get("authorization", ""))
        return {"states": "stepfunctions"}.get(found[1], found[1]) if found else "s3"

    @property
    def name(self) -> str:
        """Return `service:operation`, with the kind of document or item where there are several."""
        service = self.service
        if service == "s3":
            return f"s3:{self.method} {self._document()}"
        operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
        if service == "dynamodb":
            return f"dynamodb:{self._item(operation)}"
        return f"{service}:{operation}" if operation else f"{service}:{self.method} {self.target.partition('?')[0]}"

    def _document(self) -> str:
        path = unquote(self.target.partition("?")[0])
        found = DOCUMENT.match(path)
        if not found:
            # What runs have learned, or a list of URLs.
            return "knowledge" if "/knowledge/" in path else "list"
        name = found[1]
        folder, _, rest = name.partition("/")
        if folder in {"records", "cursors", "stages"}:
            return folder
        if folder != "plan":
            return name
        # An attempt's own documents are one folder further down.
        return ATTEMPT.sub("", rest).split("/")[0].split(".")[0]

    def _item(self, operation: str) -> str:
        document = json.loads(self.body or b"{}")
        item = document.get("Item") or document.get("Key") or {}
        run, key = item.get("run", {}).get("S", ""), item.get("sk", {}).get("S", "")
        kind = "attempt" if run.endswith("#open") else "control" if key == "control" else "part"
        if kind == "part" and "closed" in item:
            kind = "closing"
        if run.endswith("#rate"):
            kind = "rate"
        if run.startswith("#") or key == "listed":
            # The list of runs, and where a run's entry in it is.
            kind = "listing"
        match operation:
            case "PutItem":
                return f"put {kind}"
            case "GetItem":
                return f"get {kind}"
            case "DeleteItem":
                return f"delete {kind}"
            case "UpdateItem":
                if kind in {"listing", "rate"}:
                    return f"update {kind}"
                change = document.get("UpdateExpression", "")
                names = ("openHosts", "darkPops", "separatePops", "summed", "ended")
                return f"update {next((name for name in names if f'{name} ' in change), 'control')}"
        return operation.lower()
