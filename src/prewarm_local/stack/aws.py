"""The embedded AWS account: moto on a loopback port, with the template's resources in it."""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any

from moto.awslambda_simple import models as lambda_simple
from moto.cloudfront.models import cloudfront_backends
from moto.core.base_backend import BackendDict
from moto.iam.models import iam_backends

from prewarm_local.stack.eventbridge import Events
from prewarm_local.stack.moto_cloudfront import Extras
from prewarm_local.stack.moto_lambda import mend_lambda, mend_task_clients
from prewarm_local.stack.moto_patches import (
    Mending,
    OnInvalidation,
    mend_big_maps,
    mend_events,
    mend_invalidations,
    mend_paths,
    mend_redrive_count,
    mend_stop_execution,
)
from prewarm_local.stack.moto_server import serve_moto
from prewarm_local.stack.moto_stepfunctions import TMP_THREADS, stepfunctions_parser_backends
from prewarm_local.stack.session import embedded_client, isolated_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prewarm_local.stack.distribution import Distribution
    from prewarm_local.stack.lambda_workers import Workers
    from prewarm_local.stack.template import Template

# An archive's end record, and nothing before it.
_EMPTY_ZIP = base64.b64encode(b"PK\x05\x06" + bytes(18)).decode()
# moto makes sessions of its own, which must not look for the user's profile either.
_ENVIRONMENT = {
    "AWS_PROFILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# moto keeps one world per process.
_in_use = threading.Lock()


class EmbeddedAws:
    """A running account. Start it by `start`, end it by `stop`; one at a time in a process.

    `endpoint` is known, and answers, from the moment of construction; its resources are there after `start`.
    Construction may raise RuntimeError when another account runs in this process.
    """

    def __init__(self, template: Template) -> None:
        if not _in_use.acquire(blocking=False):
            raise RuntimeError("an embedded stack runs in this process already; moto holds one account per process")
        self.template = template
        self._known: dict[str, Distribution] = {}
        with Mending() as mending:
            mending.callback(_in_use.release)
            mending.callback(_forget)
            for name, value in _ENVIRONMENT.items():
                mending.enter_context(_variable(name, value))
            mending.configure("stepfunctions", "execute_state_machine", value=True)
            self._session = isolated_session(template.account.region)
            self._server, self._front = serve_moto()
            mending.callback(self._server.server_close)
            mending.callback(self._server.shutdown)
            # moto calls itself in places that are not mended.
            mending.enter_context(_variable("MOTO_PORT", str(self._server.server_port)))
            self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
            self._mending = mending.pop_all()

    def client(self, service: str, **options: Any) -> Any:  # noqa: ANN401  boto3's
        """Return a boto3 client of `service` in this account; `options` go to botocore's Config."""
        return embedded_client(self._session, service, self.endpoint, **options)

    def start(
        self,
        workers: Workers,
        distributions: Iterable[Distribution] = (),
        on_invalidation: OnInvalidation | None = None,
    ) -> None:
        """Create what the template defines. May raise botocore's ClientError, for example for a broken definition."""
        mend_lambda(self._mending, workers)
        mend_invalidations(self._mending, on_invalidation)
        mend_stop_execution(self._mending)
        mend_big_maps(self._mending)
        mend_paths(self._mending)
        mend_redrive_count(self._mending)
        events = Events(self.template.rules, workers, self.template.account.region, self.template.account.account_id)
        mend_events(self._mending, events.tell)
        self._mending.callback(events.stop)
        mend_task_clients(self._mending, self._task_client, workers)
        self._create_storage()
        self._create_functions()
        step_functions = self.client("stepfunctions")
        for machine in self.template.state_machines:
            step_functions.create_state_machine(
                name=machine.name, definition=machine.definition, roleArn=machine.role
            )
        extras = Extras(self._listed, on_invalidation=on_invalidation)
        for distribution in distributions:
            made = self._create_distribution(distribution)
            extras.policies |= distribution.policies
            extras.tenants |= {tenant.id: (tenant, made) for tenant in distribution.tenants}
        self._front.extras = extras

    def stop(self) -> None:
        """Stop executions and server, and forget everything."""
        account = self.template.account
        backend = stepfunctions_parser_backends[account.account_id][account.region]
        for machine in backend.state_machines:
            for execution in machine.executions:
                execution.stop(None, "Embedded.Stopped", "the embedded stack was stopped")
        self._mending.close()

    def _task_client(self, service: str) -> Any:  # noqa: ANN401  boto3's
        # As moto's own: the state machine retries, and what it sends need not be checked.
        options = {"parameter_validation": False, "retries": {"total_max_attempts": 1}, "max_pool_connections": 64}
        return self.client(service, **options)

    def _create_storage(self) -> None:
        for bucket in self.template.buckets:
            self.client("s3").create_bucket(Bucket=bucket.name)
        for table in self.template.tables:
            dynamodb = self.client("dynamodb")
            dynamodb.create_table(TableName=table.name, **table.schema)
            if table.ttl_attribute:
                ttl = {"Enabled": True, "AttributeName": table.ttl_attribute}
                dynamodb.update_time_to_live(TableName=table.name, TimeToLiveSpecification=ttl)

        for topic in self.template.topics:
            self.client("sns").create_topic(Name=topic)

    def _create_functions(self) -> None:
        # What runs is the workers' business; these are for GetFunction and ListFunctions. Into moto's store directly:
        # by a client, half of the time to start would be theirs.
        account = self.template.account
        role = iam_backends[account.account_id][account.partition].create_role(
            f"{account.stack_name}-functions",
            assume_role_policy_document="{}",
            path="/",
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration="3600",
        )
        for function in self.template.functions:
            lambda_simple.lambda_simple_backends[account.account_id][account.region].create_function(
                {
                    "FunctionName": function.name,
                    "Runtime": function.runtime,
                    "Role": role.arn,
                    "Handler": function.handler,
                    "Code": {"ZipFile": _EMPTY_ZIP},
                    "Timeout": function.timeout,
                    "MemorySize": function.memory,
                    "Environment": {"Variables": function.environment},
                }
            )

    def _stored(self) -> dict[str, Any]:
        account = self.template.account
        stored: dict[str, Any] = cloudfront_backends[account.account_id][account.partition].distributions
        return stored

    def _listed(self) -> list[dict[str, Any]]:
        """Return the account's distributions as entries of ListDistributions."""
        entries = []
        for made, stored in self._stored().items():
            config, known = stored.distribution_config, self._known.get(made)
            entries.append(
                {
                    "Id": made,
                    "ARN": stored.arn,
                    "Status": "Deployed",
                    "DomainName": stored.domain_name,
                    "Aliases": config.Aliases,
                    "PriceClass": config.PriceClass,
                    "Enabled": bool(config.Enabled),
                    "Staging": known is not None and known.staging,
                    "ConnectionMode": "tenant-only" if known is not None and known.tenants else "direct",
                }
            )
        return entries

    def _create_distribution(self, distribution: Distribution) -> str:
        client = self.client("cloudfront")
        aliases = {"Quantity": len(distribution.aliases), "Items": list(distribution.aliases)}
        origin = {
            "Id": "origin",
            "DomainName": "origin.invalid",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
        }
        created = client.create_distribution(
            DistributionConfig={
                "CallerReference": distribution.domain,
                "Aliases": aliases if distribution.aliases else {"Quantity": 0},
                "Origins": {"Quantity": 1, "Items": [origin]},
                # moto's own default for MaxTTL is 0, which would cache nothing.
                "DefaultCacheBehavior": {
                    "TargetOriginId": "origin",
                    "ViewerProtocolPolicy": "allow-all",
                    "DefaultTTL": 86_400,
                    "MaxTTL": 31_536_000,
                    **distribution.behaviour,
                },
                "CacheBehaviors": {
                    "Quantity": len(distribution.behaviours),
                    "Items": [
                        {"TargetOriginId": "origin", "ViewerProtocolPolicy": "allow-all", **each}
                        for each in distribution.behaviours
                    ],
                },
                "PriceClass": distribution.price_class,
                "Comment": "embedded",
                "Enabled": distribution.enabled,
            }
        )
        made: str = created["Distribution"]["Id"]
        # The API gives out domains; here the domain is given. Status: CloudFront calls it Deployed after minutes.
        self._stored()[made].domain_name = distribution.domain
        client.get_distribution(Id=made)
        self._known[made] = distribution
        return made


def _forget() -> None:
    BackendDict.reset()
    TMP_THREADS.clear()


@contextlib.contextmanager
def _variable(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable of this process, or unset it (None), for a while."""
    old = os.environ.get(name)
    _set_variable(name, value)
    try:
        yield
    finally:
        _set_variable(name, old)


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
