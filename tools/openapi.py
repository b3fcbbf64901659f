"""Write docs/openapi.json and docs/report.schema.json from the response models: `make docs`."""

import json
from pathlib import Path

from api.schemas.openapi import openapi, report_schema

DOCS = Path(__file__).resolve().parents[1] / "docs"

if __name__ == "__main__":
    for name, document in (("openapi.json", openapi()), ("report.schema.json", report_schema())):
        (DOCS / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
