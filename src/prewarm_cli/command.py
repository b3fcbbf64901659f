"""Commands made of parts: options that several commands share are written once, as functions that make something.

    @command(client=client_of)
    def status(client: Client, run: Run, as_json: AsJson = False) -> None: ...

`status` then has the options of `client_of` in place of its parameter `client`, which gets what `client_of` returns.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prewarm_cli.errors import handle_errors

if TYPE_CHECKING:
    from collections.abc import Callable

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
Run = Annotated[str, typer.Argument(metavar="ID", help="A run's requestID (its execution ARN) or its name.")]


def command(**makers: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that puts the parameters of `makers` in place of those they make, and tells failures."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True).parameters
        parts = {name: inspect.signature(maker, eval_str=True).parameters for name, maker in makers.items()}
        parameters = {
            parameter.name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, single in own.items()
            for parameter in (parts[name].values() if name in parts else [single])
        }

        @functools.wraps(function)
        def called(**given: Any) -> None:  # noqa: ANN401 - typer's values
            with handle_errors(as_json=bool(given.get("as_json"))):
                made = {name: maker(**{part: given[part] for part in parts[name]}) for name, maker in makers.items()}
                function(**{name: given[name] for name in own if name not in made}, **made)

        # Typer reads the signature; `__wrapped__` would lead it to the function's own.
        del called.__dict__["__wrapped__"]
        called.__dict__["__signature__"] = inspect.Signature(list(parameters.values()))
        called.__annotations__ = {name: parameter.annotation for name, parameter in parameters.items()}
        return called

    return decorate
