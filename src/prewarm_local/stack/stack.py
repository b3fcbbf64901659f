"""The embedded stack: start and stop the template's functions, AWS account and API together."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from prewarm_local.stack.api_gateway import Gateway
from prewarm_local.stack.aws import EmbeddedAws
from prewarm_local.stack.distribution import Distribution
from prewarm_local.stack.lambda_workers import Workers
from prewarm_local.stack.template import DEFAULT_TEMPLATE, load_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from prewarm_local.stack.moto_invalidations import OnInvalidation


# Their warnings are expected: options that moto ignores, features missing from the SAM transform's configuration.
_SILENCED = ("moto", "samtranslator")


class EmbeddedStack:
    """Runs `template` on this machine from construction to `stop` (or `with`'s end).

    - `port`: port of the API; 0 selects a free one
    - `distributions`: created in the embedded account, as `Distribution` or as `DOMAIN=ALIAS,ALIAS`
    - `roles`: the roles of other accounts that may be assumed, ARN to external id
    - `parameters`: override the template's parameters
    - `api_key`: random if None
    - `log_dir`: receives one file per function; if None, a temporary folder that is removed at the end
    - `on_invalidation`: called with a distribution's domain and the paths of each new invalidation
    - `environment`: variables added for every function
    - `cap`: maximum number of workers per function; four per core if None
    - `echo`: copy the functions' logs to stderr

    May raise RuntimeError (one stack per process), OSError (port in use), ValueError (template or distribution).
    """

    def __init__(
        self,
        template: Path | str = DEFAULT_TEMPLATE,
        *,
        port: int = 0,
        distributions: Iterable[Distribution | str] = (),
        roles: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        api_key: str | None = None,
        log_dir: Path | str | None = None,
        on_invalidation: OnInvalidation | None = None,
        environment: Mapping[str, str] | None = None,
        cap: int | None = None,
        echo: bool = False,
    ) -> None:
        for name in _SILENCED:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        parsed = [Distribution.parse(item) if isinstance(item, str) else item for item in distributions]
        self.template = load_template(template, parameters)
        account = self.template.account
        self.region, self.account_id = account.region, account.account_id
        with contextlib.ExitStack() as cleanup:
            if log_dir is None:
                log_dir = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="prewarm-logs-"))
            self.log_dir = Path(log_dir)
            self.log_dir.mkdir(parents=True, exist_ok=True)
            self._aws = EmbeddedAws(self.template)
            cleanup.callback(self._aws.stop)
            self.endpoint = self._aws.endpoint
            self.workers = Workers(
                self.template.functions, self.endpoint, self.region, self.log_dir, environment, cap, echo=echo
            )
            cleanup.callback(self.workers.stop)
            self._aws.start(self.workers, parsed, on_invalidation, roles)
            self._gateway = None
            if self.template.api is not None:
                self._gateway = Gateway(self.template.api, account, self.workers, api_key, port)
                cleanup.callback(self._gateway.stop)
            self._cleanup = cleanup.pop_all()

    @property
    def api(self) -> str:
        """The API's base URL, including its stage."""
        return self._gateway.url if self._gateway else ""

    @property
    def api_key(self) -> str:
        """The value of the x-api-key header that the API requires."""
        return self._gateway.api_key if self._gateway else ""

    @property
    def state_machine_arn(self) -> str:
        """The ARN of the template's (first) state machine."""
        return self.template.state_machines[0].arn

    @property
    def bucket(self) -> str:
        """The name of the template's (first) bucket."""
        return self.template.buckets[0].name

    @property
    def table(self) -> str:
        """The name of the template's (first) table."""
        return self.template.tables[0].name

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3's
        """Return a boto3 client of `service` in the embedded account."""
        return self._aws.client(service)

    def ready_line(self) -> dict[str, str]:
        """Return the fields of the JSON line that announces a running stack."""
        return {
            "api": self.api,
            "apiKey": self.api_key,
            "stateMachineArn": self.state_machine_arn,
            "endpoint": self.endpoint,
        }

    def stop(self) -> None:
        """Stop everything; a second call does nothing."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
