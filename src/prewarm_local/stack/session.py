"""boto3 sessions for the embedded account only: they read no profile, credentials or proxy of the user."""

from __future__ import annotations

import functools
import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import ConstantProvider
from botocore.loaders import Loader, create_loader

# Not valid in AWS; moto requires credentials, and accepts any.
ACCESS_KEY = "embedded"
SECRET_KEY = "embedded"  # noqa: S105


def isolated_session(region: str) -> boto3.Session:
    """Return a session with dummy credentials that ignores ~/.aws and AWS_PROFILE."""
    core = botocore.session.Session()
    store = core.get_component("config_store")
    for variable, value in (("profile", None), ("config_file", os.devnull), ("credentials_file", os.devnull)):
        store.set_config_provider(variable, ConstantProvider(value))
    core.register_component("data_loader", _loader())
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=region, botocore_session=core
    )


@functools.cache
def _loader() -> Loader:
    """Return one reader of AWS's service descriptions for all sessions, which would each parse megabytes of JSON."""
    return create_loader()


def embedded_client(session: boto3.Session, service: str, endpoint: str, **options: Any) -> Any:  # noqa: ANN401
    """Return a client of `service` at `endpoint`; `options` go to botocore's Config.

    No proxy is used.
    """
    config = Config(proxies={}, s3={"addressing_style": "path"}, **options)
    # boto3's stubs type the client by the literal name of its service, which is a variable here.
    create: Any = session.client
    return create(service, endpoint_url=endpoint, config=config)
