"""Write the query of the nightly example into its state machine: `python -m tools.nightly_query`."""

import textwrap
from pathlib import Path

from prewarm_cli.traffic.nightly import query

MACHINE = Path(__file__).resolve().parents[1] / "examples" / "nightly-traffic" / "nightly.asl.yaml"
BEGIN, END = "      QueryString: |-\n", "      WorkGroup:"


def current(text: str) -> str:
    """Return the definition with today's query."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + textwrap.indent(query(), " " * 8) + "\n" + END + after


if __name__ == "__main__":
    MACHINE.write_text(current(MACHINE.read_text(encoding="utf-8")), encoding="utf-8")
