"""The command line `prewarm`: lists the commands; each has its own module, which is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Annotated, Any, NamedTuple

import typer

from prewarm_cli.output.help import HelpCommand, HelpGroup

RUNS, HERE, SETUP = "Runs on a service", "On this machine", "Setup and reference"


class Entry(NamedTuple):
    """A command: its heading, its module, the function or Typer in it, and its first sentence (a test compares)."""

    heading: str
    module: str
    attribute: str
    summary: str


COMMANDS = {
    "start": Entry(RUNS, "commands.start", "start", "Start a run on a deployed service, and print its requestID."),
    "status": Entry(RUNS, "commands.manage", "status", "Print a run's progress or result."),
    "watch": Entry(
        RUNS,
        "commands.watch",
        "watch",
        "Follow a run until it ends: bars of its URLs and targets, what is not warm so far, rate and time left.",
    ),
    "report": Entry(RUNS, "commands.report", "report", "Download the report of a run that has ended."),
    "cancel": Entry(
        RUNS, "commands.manage", "cancel", "Cancel a run: warmed URLs stay warm, the rest is not fetched."
    ),
    "retry": Entry(
        RUNS,
        "commands.manage",
        "retry",
        "Start a new run of the failed URLs, with the selection and options of the old run.",
    ),
    "list": Entry(RUNS, "commands.list_runs", "list_runs", "List runs, newest first."),
    "run": Entry(
        HERE,
        "commands.run_here",
        "run",
        "Warm once from this machine, without a deployed service; nothing keeps running afterwards.",
    ),
    "traffic": Entry(
        HERE,
        "traffic.command",
        "traffic",
        "Read CloudFront access logs, and write the pairs of URL and POP that viewers request.",
    ),
    "local": Entry(
        HERE,
        "commands.serve",
        "local",
        "Serve API and dashboard on this machine until Ctrl-C, for the commands that need a service.",
    ),
    "demo": Entry(
        HERE,
        "demo.command",
        "demo",
        "Show a release being warmed at every POP of Asia-Pacific, in front of a simulated CloudFront.",
    ),
    "configure": Entry(
        SETUP,
        "commands.configure",
        "configure",
        "Save the API's address and key to ~/.config/prewarm/config.toml, readable only by you (mode 0600).",
    ),
    "doctor": Entry(
        SETUP,
        "doctor.command",
        "doctor",
        "Check a deployment end to end: permissions, DNS, POPs, and runs that are warmed, cancelled and reported.",
    ),
    "pops": Entry(
        SETUP, "commands.pops", "app", "List or show the CloudFront edge locations (POPs) in the catalogue."
    ),
}


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name, each imported when it is first read."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer's vendored class
        if name not in self._loaded:
            self._loaded[name] = _load(name, COMMANDS[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _load(name: str, entry: Entry) -> Any:  # noqa: ANN401
    found = getattr(importlib.import_module(f"prewarm_cli.{entry.module}"), entry.attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        single.command(name, cls=HelpCommand)(found)
        found = single
    command = typer.main.get_command(found)
    command.name = name
    return command


class LazyGroup(HelpGroup):
    """The group of all commands: its help and a call of one command do not import the others."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - typer's arguments
        super().__init__(**settings)
        self.commands = LazyCommands()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's signature
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        """Return a command, or None."""
        return self.commands[cmd_name] if cmd_name in COMMANDS else None

    def summaries(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:  # noqa: ANN401, ARG002
        """Return the first sentences without importing the commands."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            headings.setdefault(entry.heading, []).append((name, entry.summary))
        return headings


# Plain text instead of boxes, in errors too: it survives pipes, narrow terminals and copying.
app = typer.Typer(
    name="prewarm",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:  # noqa: FBT001 - as typer calls it
    if requested:
        from prewarm import __version__  # noqa: PLC0415 - so that `prewarm --help` starts fast

        typer.echo(f"prewarm {__version__}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Warm CloudFront POPs: `start` uses a deployed service, `run` warms from here, `local` serves the API here.

    Exit codes: 0 warm, 1 not warm, 2 bad input, 3 timeout, 4 service error, 130 interrupted.
    """


if __name__ == "__main__":
    app()
