"""Where the commands of `prewarm` are registered; each lives in a module of its own."""

from __future__ import annotations

import typer

from cli import demo, local, pops

app = typer.Typer(name="prewarm", no_args_is_help=True, pretty_exceptions_show_locals=False)
app.command("local")(local.local)
app.command("demo")(demo.demo)
app.add_typer(pops.app, name="pops")


@app.callback()
def main() -> None:
    """Warm URLs through chosen CloudFront edge locations, and prove it."""


if __name__ == "__main__":
    app()
