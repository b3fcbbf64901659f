"""Commands built from parts: options that several commands share are written once, as functions that build a value.

    @command(client=client_of)
    def status(client: Client, run: Run, as_json: AsJson = False) -> None: ...

`status` then has the options of `client_of` instead of its parameter `client`, which receives the value that
`client_of` returns.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import typer

from prewarm.errors import truncate
from prewarm_cli.errors import CommandFailed, handle_errors
from prewarm_cli.options.user_request import UserRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
Run = Annotated[
    str,
    typer.Argument(metavar="ID", help="A run's requestID (its execution ARN), its name, or its page's address."),
]
PAGE = re.compile(r"https?://[^#]*#/run/(?P<name>[^/?#]+).*")


def run_id(text: str) -> str:
    """Return a run's requestID or name from the argument ID, which may be the address of the run's page.

    Raises:
        CommandFailed: the argument cannot be one.

    """
    given = text.strip()
    # The page's address: API/#/run/NAME (Client.page_of).
    if found := PAGE.fullmatch(given):
        given = unquote(found["name"])
    if not given or not given.isprintable() or " " in given or "://" in given:
        problem = "is empty" if not given else f"{truncate(text)!r} is not the id of a run"
        raise CommandFailed(
            f"ID: {problem}; pass a run's requestID, its name or its page's address (`prewarm list` prints the runs)"
        )
    return given


@contextlib.contextmanager
def name_options(request: object) -> Iterator[None]:
    """Name options, files and lines in the API's problems with a request, in place of the fields of its JSON."""
    try:
        yield
    except CommandFailed as failed:
        # Imported here, since only a request to the API can raise it.
        from prewarm_cli.api_errors import RequestRefused  # noqa: PLC0415

        if isinstance(failed, RequestRefused) and isinstance(request, UserRequest):
            raise failed.renamed(request) from failed
        raise


def command(
    extra: str | None = None, **builders: Callable[..., Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that replaces parameters by those of their builders, and reports failures.

    `extra` names the optional dependencies that the command imports, such as "local".
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True).parameters
        parts = {name: inspect.signature(build, eval_str=True).parameters for name, build in builders.items()}
        parameters = {
            parameter.name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, single in own.items()
            for parameter in (parts[name].values() if name in parts else [single])
        }

        @functools.wraps(function)
        def called(**values: Any) -> None:  # noqa: ANN401 - typer's values
            as_json = bool(values.get("as_json"))
            with handle_errors(as_json=as_json, command=function.__name__, extra=extra):
                if "run" in values:
                    values["run"] = run_id(values["run"])
                built = {
                    name: build(**{part: values[part] for part in parts[name]}) for name, build in builders.items()
                }
                with name_options(built.get("request")):
                    function(**{name: values[name] for name in own if name not in built}, **built)

        # Typer reads the signature; `__wrapped__` would lead it to the function's own.
        del called.__dict__["__wrapped__"]
        called.__dict__["__signature__"] = inspect.Signature(list(parameters.values()))
        called.__annotations__ = {name: parameter.annotation for name, parameter in parameters.items()}
        return called

    return decorate
