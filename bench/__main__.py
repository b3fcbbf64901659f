"""Run all benchmarks and write docs/performance.md: about ten minutes on two idle cores."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/performance.md"
PARTS = {
    "A run of a million targets": "bench.workflow",
    "Adding up 5.4 million targets": "bench.scale",
    "The origin's part, staged and unstaged": "bench.staging",
    "Cold start": "bench.imports",
}
NOTES = {
    "bench.workflow": "Stack, nginx as 64 POPs and all else share two cores, and moto takes a large part of them.",
    "bench.scale": "Seconds include moto's, which plays DynamoDB and S3; CPU is the function's own.",
    "bench.staging": "The simulated CloudFront; an origin that takes 300 ms; probes are not counted.",
    "bench.imports": "CPU seconds of importing each function's handler, medians of five.",
}


def main() -> None:
    """Run the comparison with peers, which writes the page, then append the other parts."""
    subprocess.run([sys.executable, "-m", "bench.warm", "--page", str(PAGE), *sys.argv[1:]], check=True)
    for title, module in PARTS.items():
        done = subprocess.run([sys.executable, "-m", module], text=True, stdout=subprocess.PIPE, check=True)
        print(done.stdout)
        with PAGE.open("a", encoding="utf-8") as page:
            page.write(f"\n## {title}\n\n{NOTES[module]}\n\n```\n{done.stdout.rstrip()}\n```\n")


if __name__ == "__main__":
    main()
