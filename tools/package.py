"""Build and upload the service, so that CloudFormation takes the template as it is: `make package BUCKET=name`.

The functions, the state machine and the template go to the bucket, which must be in the Region of the stack. SAM's
transform is applied here, with the code that AWS applies: what is uploaded has resources of CloudFormation only, so
Terraform, CDK and StackSets take it, without CAPABILITY_AUTO_EXPAND.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from prewarm import __version__

ROOT = Path(__file__).parents[1]
SAM = Path(sys.executable).with_name("sam")
# Globals.Function.Runtime of the template.
RUNTIME = "python3.13"
PREFIX = "cloudfront-prewarm"
# Amazon S3 User Guide, "Bucket naming rules".
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
# The properties that SAM replaces by places in S3, by type.
LOCAL = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


def main(arguments: list[str] | None = None) -> int:
    """Build, upload and print the template's address; return the exit code."""
    parser = argparse.ArgumentParser(prog="make package", description="Upload the service for CloudFormation.")
    parser.add_argument("bucket", help="an S3 bucket in the Region of the stack")
    parser.add_argument("--prefix", default=PREFIX, help=f"a folder in the bucket (default: {PREFIX})")
    parser.add_argument("--template", type=Path, help="a built template; without it, `sam build` makes one")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "prewarm.json", help="the template to write")
    options = parser.parse_args(arguments)
    if not BUCKET.fullmatch(options.bucket):
        parser.error(f"{options.bucket!r} is not a bucket's name; run: make package BUCKET=name")
    try:
        region = region_of(options.bucket)
        packaged = package(options.template or built_template(), options.bucket, options.prefix)
        body = json.dumps(translated(packaged, region), indent=1).encode()
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_bytes(body)
        url = upload(body, options.bucket, options.prefix, region)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    except (BotoCoreError, ClientError, ValueError) as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(url)
    print(
        f"\naws cloudformation create-stack --stack-name {PREFIX} --template-url {url} \\\n"
        "  --capabilities CAPABILITY_IAM",
        file=sys.stderr,
    )
    return 0


def built_template() -> Path:
    """Run `sam build`, and return its template."""
    folder = ROOT / ".aws-sam" / "build"
    template = ROOT / "template.yaml"
    subprocess.run([SAM, "build", "--template", template, "--build-dir", folder], cwd=ROOT, check=True, stdout=2)
    compile_bytecode(folder)
    return folder / "template.yaml"


def compile_bytecode(folder: Path) -> bool:
    """Compile a built folder for the functions' runtime; return False where that Python is missing.

    SAM builds without bytecode, and a function cannot write to its own folder: each cold start would compile all
    that it imports. Bytecode with an unchecked hash stays valid whatever times the files have after the upload
    (PEP 552).
    """
    python = shutil.which(RUNTIME)
    if python is None:
        print(f"package: no {RUNTIME} on the PATH, so cold starts take longer: no bytecode", file=sys.stderr)
        return False
    command: list[str | Path] = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder]
    subprocess.run(command, check=True, stdout=2)
    return True


def region_of(bucket: str) -> str:
    """Return the Region of a bucket."""
    location = boto3.client("s3").get_bucket_location(Bucket=bucket).get("LocationConstraint")
    return str(location or "us-east-1")


def package(template: Path, bucket: str, prefix: str) -> dict[str, Any]:
    """Upload the files that a template names, and return it with their places in S3 instead.

    Raises:
        ValueError: a place is still a local path.

    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "packaged.yaml"
        places: list[str | Path] = ["--s3-bucket", bucket, "--s3-prefix", prefix, "--output-template-file", output]
        environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
        # SAM prints its advice on `sam deploy` to stdout, where this command prints the address.
        command: list[str | Path] = [SAM, "package", "--template-file", template, *places]
        subprocess.run(command, cwd=ROOT, check=True, stdout=2, env=environment)
        packaged: dict[str, Any] = yaml_parse(output.read_text(encoding="utf-8"))  # type: ignore[no-untyped-call]
    if paths := local_paths(packaged):
        raise ValueError(f"SAM left local paths in the template: {', '.join(paths)}")
    return packaged


def translated(packaged: dict[str, Any], region: str) -> dict[str, Any]:
    """Return a packaged template after SAM's transform; its parameters stay parameters."""
    session = boto3.Session(region_name=region)
    translator = Translator(managed_policy_map={}, sam_parser=Parser(), boto_session=session)
    document: dict[str, Any] = translator.translate(json.loads(json.dumps(packaged)), parameter_values={})
    document.pop("Transform", None)
    # SAM writes the parameters' values into usage plans (in AWS too, where they are those of the stack).
    for name, resource in packaged["Resources"].items():
        plan = resource.get("Properties", {}).get("Auth", {}).get("UsagePlan", {})
        if resource["Type"] == "AWS::Serverless::Api" and plan:
            properties = document["Resources"][f"{name}UsagePlan"]["Properties"]
            properties |= {limit: plan[limit] for limit in ("Throttle", "Quota") if limit in plan}
    return document


def local_paths(template: dict[str, Any]) -> list[str]:
    """Return the resources and metadata of a packaged template that name files of this machine."""
    found = []
    for name, resource in template["Resources"].items():
        place = resource.get("Properties", {}).get(LOCAL.get(resource["Type"], ""))
        if isinstance(place, str) and not place.startswith("s3://"):
            found.append(f"{name}: {place}")
    for name, metadata in template.get("Metadata", {}).items():
        urls = {key: value for key, value in metadata.items() if key in {"LicenseUrl", "ReadmeUrl"}}
        found += [f"{name}: {value}" for value in urls.values() if not value.startswith(("s3://", "https://"))]
    return found


def upload(body: bytes, bucket: str, prefix: str, region: str) -> str:
    """Upload a template under a name of its version and content, and return its address."""
    key = f"{prefix}/{__version__}/template-{hashlib.sha256(body).hexdigest()[:16]}.json"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    # With dots in its name, a bucket has no certificate of its own (Amazon S3 User Guide, "Virtual hosting").
    if "." in bucket:
        return f"https://s3.{region}.{suffix}/{bucket}/{key}"
    return f"https://{bucket}.s3.{region}.{suffix}/{key}"


if __name__ == "__main__":
    sys.exit(main())
