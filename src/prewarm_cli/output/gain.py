"""What a run spared the first viewers, as text."""

from __future__ import annotations

from typing import Any


def gain_text(status: dict[str, Any]) -> str:
    """Return the service's sentence about a run's gain; empty before it is known, and for older services and runs."""
    gain = status.get("gain")
    return str(gain.get("text") or "") if isinstance(gain, dict) else ""
