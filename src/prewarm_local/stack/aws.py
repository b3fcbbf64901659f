"""The embedded AWS account: moto on a loopback port, with the template's resources in it."""

from __future__ import annotations

import base64
import contextlib
import copy
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.awslambda_simple import models as lambda_simple
from moto.cloudfront.models import cloudfront_backends
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.iam.models import iam_backends

from prewarm_local.stack.distribution import policies_of
from prewarm_local.stack.eventbridge import EventBridge
from prewarm_local.stack.moto_accounts import account_of_role, patch_assumed_roles
from prewarm_local.stack.moto_cloudfront import CloudFrontExtras
from prewarm_local.stack.moto_invalidations import OnInvalidation, patch_invalidations
from prewarm_local.stack.moto_lambda import patch_lambda, patch_task_clients
from prewarm_local.stack.moto_names import patch_names
from prewarm_local.stack.moto_patches import (
    MotoPatches,
    patch_big_maps,
    patch_definitions,
    patch_events,
    patch_paths,
    patch_redrive_count,
    patch_stop_execution,
    patch_table_writes,
)
from prewarm_local.stack.moto_server import serve_moto
from prewarm_local.stack.moto_stepfunctions import TMP_THREADS, stepfunctions_parser_backends
from prewarm_local.stack.session import embedded_client, isolated_session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from prewarm_local.stack.distribution import Distribution
    from prewarm_local.stack.lambda_workers import Workers
    from prewarm_local.stack.template import Template

# An empty archive: only the end record.
_EMPTY_ZIP = base64.b64encode(b"PK\x05\x06" + bytes(18)).decode()
# moto creates its own sessions, which must not look for the user's profile either.
_ENVIRONMENT = {
    "AWS_PROFILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# moto keeps its state per process.
_in_use = threading.Lock()


class EmbeddedAws:
    """A running account, started by `start` and ended by `stop`.

    One at a time per process. `endpoint` accepts requests from construction on; the resources exist after `start`.
    Construction may raise RuntimeError if another account runs in this process.
    """

    def __init__(self, template: Template) -> None:
        if not _in_use.acquire(blocking=False):
            raise RuntimeError("an embedded stack runs in this process already; moto holds one account per process")
        self.template = template
        self._distributions: dict[str, Distribution] = {}
        with MotoPatches() as patches:
            patches.callback(_in_use.release)
            patches.callback(_discard_state)
            for name, value in _ENVIRONMENT.items():
                patches.enter_context(_variable(name, value))
            patches.configure("stepfunctions", "execute_state_machine", value=True)
            self._session = isolated_session(template.account.region)
            # moto's own session would parse again what this one has parsed.
            patches.replace(AccountSpecificBackend, "get_session", staticmethod(lambda: self._session))
            self._server, self._cloudfront, self._lambda_account = serve_moto()
            patches.callback(self._server.server_close)
            patches.callback(self._server.shutdown)
            # moto calls itself over HTTP in places that are not patched.
            patches.enter_context(_variable("MOTO_PORT", str(self._server.server_port)))
            self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
            self._patches = patches.pop_all()

    def client(self, service: str, **options: Any) -> Any:  # noqa: ANN401  boto3's
        """Return a boto3 client of `service` in this account.

        `options` go to botocore's Config.
        """
        return embedded_client(self._session, service, self.endpoint, **options)

    def start(
        self,
        workers: Workers,
        distributions: Collection[Distribution] = (),
        on_invalidation: OnInvalidation | None = None,
        roles: Mapping[str, str] | None = None,
    ) -> None:
        """Create the template's resources; `roles` are those of other accounts, ARN to external id.

        May raise botocore's ClientError, for example for an invalid definition.
        """
        patch_lambda(self._patches, workers)
        patch_assumed_roles(self._patches, roles or {})
        self._lambda_account.concurrency = workers.most_at_once
        patch_invalidations(self._patches, on_invalidation)
        patch_names(self._patches)
        patch_stop_execution(self._patches)
        patch_big_maps(self._patches)
        patch_paths(self._patches)
        patch_redrive_count(self._patches)
        patch_table_writes(self._patches)
        patch_definitions(self._patches)
        own = self.template.account.account_id
        events = EventBridge(self.template.rules, workers, self.template.account.region, own)
        patch_events(self._patches, events.send)
        self._patches.callback(events.stop)
        patch_task_clients(self._patches, self._task_client, workers)
        self._create_storage()
        self._create_functions()
        step_functions = self.client("stepfunctions")
        for machine in self.template.state_machines:
            step_functions.create_state_machine(
                name=machine.name, definition=machine.definition, roleArn=machine.role
            )
        extras: dict[str, CloudFrontExtras] = {}
        for account in {own, *map(account_of_role, roles or {}), *(each.account or own for each in distributions)}:
            extras[account] = CloudFrontExtras(partial(self._listed, account), on_invalidation=on_invalidation)
        for distribution in distributions:
            made, of_account = self._create_distribution(distribution), extras[distribution.account or own]
            of_account.configs[made] = distribution.config()
            of_account.policies |= policies_of([distribution])
            of_account.tenants |= {tenant.id: (tenant, made) for tenant in distribution.tenants}
        self._cloudfront.extras = extras

    def stop(self) -> None:
        """Stop the executions and the server, and discard all state."""
        account = self.template.account
        backend = stepfunctions_parser_backends[account.account_id][account.region]
        for machine in backend.state_machines:
            for execution in machine.executions:
                execution.stop(None, "Embedded.Stopped", "the embedded stack was stopped")
        self._patches.close()

    def _task_client(self, service: str) -> Any:  # noqa: ANN401  boto3's
        # As moto's own clients: the state machine retries, and its parameters need no validation.
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
        # The workers run the functions; these entries are for GetFunction and ListFunctions. They are written into
        # moto's store directly, because creating them through a client would take half of the start-up time.
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

    def _stored(self, account: str) -> dict[str, Any]:
        stored: dict[str, Any] = cloudfront_backends[account][self.template.account.partition].distributions
        return stored

    def _listed(self, account: str) -> list[dict[str, Any]]:
        """Return an account's distributions as entries of ListDistributions."""
        entries = []
        for made, stored in self._stored(account).items():
            config, distribution = stored.distribution_config, self._distributions.get(made)
            entries.append(
                {
                    "Id": made,
                    "ARN": stored.arn,
                    "Status": "Deployed",
                    "DomainName": stored.domain_name,
                    "Aliases": config.Aliases,
                    "PriceClass": config.PriceClass,
                    "Enabled": bool(config.Enabled),
                    "Staging": distribution is not None and distribution.staging,
                    "ConnectionMode": "tenant-only"
                    if distribution is not None and distribution.tenants
                    else "direct",
                }
            )
        return entries

    def _create_distribution(self, distribution: Distribution) -> str:
        # moto refuses origin groups; GetDistributionConfig is answered from `CloudFrontExtras.configs`. Its store is
        # written directly, as that of the functions.
        settings = copy.deepcopy(distribution.config())
        origins = settings["Origins"]
        behaviour = {"TargetOriginId": origins["Items"][0]["Id"], "ViewerProtocolPolicy": "allow-all"}
        names = ("CallerReference", "Aliases", "PriceClass", "Comment", "Enabled")
        reduced = {name: settings[name] for name in names} | {"Origins": origins, "DefaultCacheBehavior": behaviour}
        account = self.template.account
        stored, *_ = cloudfront_backends[account.account_id][account.partition].create_distribution(reduced, [])
        # The API assigns a domain; here the caller sets it.
        stored.domain_name = distribution.domain
        # To Deployed, which takes minutes in CloudFront.
        stored.advance()
        made: str = stored.distribution_id
        if distribution.account:
            self._stored(distribution.account)[made] = self._stored(account.account_id).pop(made)
        self._distributions[made] = distribution
        return made


def _discard_state() -> None:
    BackendDict.reset()
    TMP_THREADS.clear()


@contextlib.contextmanager
def _variable(name: str, value: str | None) -> Iterator[None]:
    """Set or unset (None) an environment variable while the context is open."""
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
