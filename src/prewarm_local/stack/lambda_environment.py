"""The environment variables of a function's worker: Lambda's, the template's, and the edge settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from prewarm_local.stack.session import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.stack.resources import Function

# The user's own settings (edge address, timeouts) reach the functions, but never override the template's.
SETTINGS_PREFIX = "PREWARM_"
# Variables of this machine that a Python process needs to start.
_MACHINE_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "PYTHONDONTWRITEBYTECODE")


def lambda_environment(function: Function, endpoint: str, region: str, added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker.

    Later ones override: this machine's variables, Lambda's, the user's settings, the template's, `added`.
    Lambda's variables: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    lambda_variables = {
        "_HANDLER": function.handler,
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "PYTHONPATH": str(function.code),
        "LAMBDA_TASK_ROOT": str(function.code),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": ACCESS_KEY,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "embedded",
        # Not from Lambda: the embedded account's endpoint, no configuration files, no X-Ray daemon.
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_XRAY_SDK_ENABLED": "false",
        "POWERTOOLS_TRACE_DISABLED": "true",
        # Of this machine's work AWS charges for CloudFront only.
        "PREWARM_OWN_MACHINE": "true",
        # Its bucket is new each time, so AWS's list of 2 MB would be read each time; the shipped networks serve.
        "PREWARM_EDGE_NETWORKS_URL": "off",
    }
    machine = {name: os.environ[name] for name in _MACHINE_VARIABLES if name in os.environ}
    edge = {name: value for name, value in os.environ.items() if name.startswith(SETTINGS_PREFIX)}
    if (bundle := edge.get("PREWARM_CA_BUNDLE")) and Path(bundle).exists():
        edge["PREWARM_CA_BUNDLE"] = str(Path(bundle).resolve())  # workers run in another folder
    return {**machine, **lambda_variables, **edge, **function.environment, **added}
