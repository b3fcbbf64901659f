"""boto3 sessions that know the embedded account only: no profile, credentials or proxy of the user is read."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import ConstantProvider

# Never valid anywhere; moto asks for some, and takes any.
ACCESS_KEY = "embedded"
SECRET_KEY = "embedded"  # noqa: S105


def isolated_session(region: str) -> boto3.Session:
    """Return a session with made-up credentials that ignores ~/.aws and AWS_PROFILE."""
    core = botocore.session.Session()
    store = core.get_component("config_store")
    for variable, value in (("profile", None), ("config_file", os.devnull), ("credentials_file", os.devnull)):
        store.set_config_provider(variable, ConstantProvider(value))
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=region, botocore_session=core
    )


def embedded_client(session: boto3.Session, service: str, endpoint: str, **options: Any) -> Any:  # noqa: ANN401
    """Return a client of `service` at `endpoint`; `options` go to botocore's Config. No proxy is used."""
    config = Config(proxies={}, s3={"addressing_style": "path"}, **options)
    # boto3's stubs type the client by the literal name of its service, which is not known here.
    make: Any = session.client
    return make(service, endpoint_url=endpoint, config=config)
