"""Write the reference in docs/cli.md from the commands: `python -m tools.cli_reference`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import typer

from prewarm_cli.config import client_of
from prewarm_cli.main import app
from prewarm_cli.options.request import request_of
from prewarm_cli.options.wait import wait_options_of
from prewarm_cli.output.help import default_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
# The text above this line is written by hand.
MARK = "<!-- What follows is written by `python -m tools.cli_reference`: change the commands, not this. -->\n"
EXAMPLES = "Examples:\n"
HIDDEN = frozenset({"help", "install_completion", "show_completion"})
# Options of several commands are listed once, under these headings.
SHARED: dict[str, Callable[..., Any]] = {
    "Options of a request": request_of,
    "Options of a wait": wait_options_of,
    "Options of the connection": client_of,
}


def page(text: str) -> str:
    """Return the page with a new reference."""
    return text.partition(MARK)[0] + MARK + "\n" + "\n".join(reference()).rstrip() + "\n"


def reference() -> Iterator[str]:
    """Yield the reference, paragraph by paragraph."""
    shared: dict[str, list[Any]] = {}
    for name, command in _commands("prewarm", typer.main.get_command(app)):
        left = {each.name: each for each in command.params if each.name not in HIDDEN}
        yield f"## {name}\n"
        yield from _help(command.help or "")
        yield f"```text\n{' '.join([name, *map(_named, left.values())]).strip()} [OPTIONS]\n```\n"
        links = []
        for title, maker in SHARED.items():
            names = inspect.signature(maker).parameters.keys()
            if names <= left.keys():
                shared[title] = [left.pop(each) for each in names]
                links.append(f"[{title[0].lower()}{title[1:]}](#{title.lower().replace(' ', '-')})")
        yield from _table(left.values())
        if links:
            yield f"And the {', the '.join(links)}.\n"
    for title in SHARED:
        yield f"## {title}\n"
        yield from _table(shared[title])


def _commands(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own classes
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{prefix} {name}", command)
        else:
            yield f"{prefix} {name}", command


def _help(text: str) -> Iterator[str]:
    """Yield a help text as Markdown, its examples as a block of code."""
    words, _, examples = inspect.cleandoc(text).partition(EXAMPLES)
    yield words.strip() + "\n"
    if examples:
        yield f"```sh\n{inspect.cleandoc(examples)}\n```\n"


def _table(parameters: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield arguments and options as a table."""
    rows = [f"| {_names(each)} | {_meaning(each)} |" for each in parameters]
    if rows:
        yield "\n".join(["| option | meaning |", "|---|---|", *rows]) + "\n"


def _named(parameter: Any) -> str:  # noqa: ANN401
    """Return an argument as a usage line shows it; an empty text for an option."""
    if parameter.param_type_name == "option":
        return ""
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required else f"[{name}...]" if parameter.nargs == -1 else f"[{name}]"


def _names(parameter: Any) -> str:  # noqa: ANN401
    if argument := _named(parameter):
        return f"`{argument}`"
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {_value(parameter)}"


def _value(option: Any) -> str:  # noqa: ANN401
    """Return the placeholder of an option's value."""
    kind = option.type_descriptor.annotation
    if option.metavar:
        return f"`{option.metavar}`"
    if get_origin(kind) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(kind))
    return {int: "`N`", float: "`NUMBER`", Path: "`PATH`"}.get(kind, "`TEXT`")


def _meaning(parameter: Any) -> str:  # noqa: ANN401
    meaning = " ".join((parameter.help or "").split()).replace("|", "\\|")
    if parameter.envvar:
        meaning += f" Environment: `{parameter.envvar}`."
    if parameter.param_type_name == "option" and parameter.required:
        meaning += " Required."
    if default := default_of(parameter):
        meaning += f" Default: `{default}`."
    return meaning


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
