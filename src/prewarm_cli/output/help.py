"""The help of every command: plain text in which no word and no option name is cut, in a terminal and in a pipe."""

from __future__ import annotations

import inspect
import itertools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from prewarm_cli.options.bad_values import describe
from prewarm_cli.output.terminal import wrap, wrap_command

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = "Examples:"
# The narrowest and the widest help; longer lines are hard to read.
MIN_WIDTH, MAX_WIDTH = 40, 100
# Meanings start in this column, or below the option where this leaves too little space for them.
MEANING_COLUMN, MEANING_INDENT, MIN_MEANING = 28, 6, 45
VALUES = {"int": "N", "float": "NUMBER", "str": "TEXT", "Path": "PATH"}


class HelpCommand(TyperCommand):
    """A command with this help, and with this project's texts about wrong values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's vendored classes
        """Read the arguments. May raise BadParameter."""
        if option := self._empty_path(args):
            # As a Path it would be the current folder.
            raise typer.BadParameter("is empty; pass the name of a file", ctx=ctx, param_hint=option)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as wrong:
            wrong.message = describe(wrong.__cause__, wrong.message)
            raise

    def _empty_path(self, args: list[str]) -> str | None:
        """Return the option of a path that is given an empty text, None if there is none."""
        paths = {name for each in self.params if _is_path(each) for name in each.opts}
        for name, value in itertools.pairwise([*args, "-"]):
            if name in paths and value == "":
                return name
            if name.endswith("=") and name[:-1] in paths:
                return name[:-1]
        return None

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's vendored classes
        """Write the help."""
        formatter.write("\n".join(command_help(self, ctx)))


class HelpGroup(TyperGroup):
    """A group of commands with this help; `summaries` saves the import of commands that a subclass loads lazily."""

    def summaries(self, ctx: Any) -> dict[str, list[tuple[str, str]]]:  # noqa: ANN401
        """Return each heading's commands, with their first sentences."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        return {"Commands": [(name, first_sentence(each.help or "")) for name, each in commands if each is not None]}

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Write the help."""
        width = help_width()
        lines = [*_usage(ctx, "COMMAND", width), *_description(self.help or "", width)]
        for heading, commands in self.summaries(ctx).items():
            lines += [
                "",
                f"{heading}:",
                *_definitions(commands, width, least=max(len(name) for name, _ in commands) + 4),
            ]
        lines += [
            *_options(self, ctx, width),
            "",
            *wrap(f"`{ctx.command_path} COMMAND --help` explains a command.", width),
        ]
        formatter.write("\n".join(lines))


def help_width() -> int:
    """Return the width of the help: the terminal's (COLUMNS in a pipe), within limits."""
    return max(MIN_WIDTH, min(MAX_WIDTH, shutil.get_terminal_size().columns))


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring."""
    paragraph = " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".") + "."


def command_help(command: Any, ctx: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield the lines of a command's help."""
    width = help_width()
    arguments = [_argument(each) for each in command.params if each.param_type_name == "argument"]
    yield from _usage(ctx, " ".join([*arguments, "[OPTIONS]"]), width)
    yield from _description(command.help or "", width)
    described = [each for each in command.params if each.param_type_name == "argument" and each.help]
    if described:
        yield from ("", "Arguments:")
        yield from _definitions([(_argument(each), _meaning(each)) for each in described], width)
    yield from _options(command, ctx, width)


def _usage(ctx: Any, rest: str, width: int) -> list[str]:  # noqa: ANN401
    return wrap(f"Usage: {ctx.command_path} {rest}", width, 4)


def _description(text: str, width: int) -> Iterator[str]:
    """Yield a docstring: its paragraphs wrapped, its examples as commands that can be copied."""
    words, _, examples = inspect.cleandoc(text).partition(EXAMPLES)
    for paragraph in words.strip().split("\n\n"):
        yield ""
        yield from wrap(" ".join(paragraph.split()), width, 0)
    if examples:
        yield from ("", EXAMPLES)
        for line in inspect.cleandoc(examples).splitlines():
            yield from wrap_command(line, width)


def _options(command: Any, ctx: Any, width: int) -> Iterator[str]:  # noqa: ANN401
    """Yield the options under their headings."""
    headings: dict[str, list[tuple[str, str]]] = {}
    for each in command.get_params(ctx):
        if each.param_type_name == "option" and not each.hidden:
            heading = getattr(each, "rich_help_panel", None) or "Options"
            headings.setdefault(heading, []).append((option_names(each), _meaning(each)))
    for heading in sorted(headings, key=lambda name: name == "Options"):
        yield from ("", f"{heading}:")
        yield from _definitions(headings[heading], width)


def option_names(option: Any) -> str:  # noqa: ANN401
    """Return an option's names and the placeholder of its value; a flag has none."""
    names = ", ".join(sorted([*option.opts, *option.secondary_opts], key=lambda name: name.startswith("--")))
    return names if option.is_flag else f"{names} {value_of(option)}"


def value_of(option: Any) -> str:  # noqa: ANN401
    """Return the placeholder of an option's value: its metavar, its choices, or a word for its type."""
    if option.metavar:
        return str(option.metavar)
    choices = option.type_descriptor.choices
    if choices:
        return "|".join(map(str, choices))
    kind = option.type_descriptor.annotation
    return VALUES.get(getattr(kind, "__name__", ""), "TEXT")


def _is_path(parameter: Any) -> bool:  # noqa: ANN401
    return parameter.type_descriptor.annotation in {Path, list[Path]}


def _argument(argument: Any) -> str:  # noqa: ANN401
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required else f"[{name}...]" if argument.nargs == -1 else f"[{name}]"


def _meaning(parameter: Any) -> str:  # noqa: ANN401
    """Return what a parameter means, with its default and its environment variable."""
    notes = []
    if parameter.envvar:
        notes.append(f"env: {parameter.envvar}")
    if default := default_of(parameter):
        notes.append(f"default: {default}")
    if parameter.param_type_name == "option" and parameter.required:
        notes.append("required")
    text = " ".join((parameter.help or "").split())
    return f"{text} [{'; '.join(notes)}]" if notes else text


def default_of(parameter: Any) -> str:  # noqa: ANN401
    """Return a parameter's default as text: the declared one (`show_default`), or the value; "" if it has none."""
    declared = getattr(parameter, "show_default", None)
    if isinstance(declared, str):
        return declared
    # A default that depends on this machine, such as a path, would differ elsewhere: commands declare None for it.
    default = parameter.default
    shown = not getattr(parameter, "is_flag", True) and default not in (None, "", [], ()) and not callable(default)
    return str(default) if shown else ""


def _definitions(rows: list[tuple[str, str]], width: int, least: int = MEANING_COLUMN) -> Iterator[str]:
    """Yield names with their meanings: in two columns, or below each other where the terminal is narrow."""
    column = least if width - least >= MIN_MEANING or least < MEANING_COLUMN else MEANING_INDENT
    for name, meaning in rows:
        left = wrap(f"  {name}", width, 4)
        texts = wrap(meaning, width - column, 0) if meaning else []
        if len(left) == 1 and len(left[0]) + 2 <= column and texts:
            left = [f"{left[0]:{column}}{texts.pop(0)}"]
        yield from left
        yield from (" " * column + text for text in texts)
