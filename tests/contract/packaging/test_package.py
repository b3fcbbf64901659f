"""`make package` against a local S3: a template of CloudFormation's own resources, without paths of this machine."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import boto3
import hcl2
import pytest
from moto.server import ThreadedMotoServer

from prewarm import __version__
from tests.support.definitions import FUNCTIONS, ROOT, lint, template
from tools.package import RUNTIME, compile_bytecode, local_paths, main, translated

BUCKET: str = "artefacts-of-tests"
REGION: Literal["eu-west-1"] = "eu-west-1"
# SAM adds a DependsOn in addition to the Ref.
ADDED_BY_SAM = {("W3005", "ApiUsagePlan"), ("W3005", "ApiUsagePlanKey")}


@dataclass(frozen=True)
class Packaged:
    """The printed address, the written template, and the names of the objects in the bucket."""

    url: str
    path: Path
    keys: set[str]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.path.read_text())
        return document


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """Package the template with a small folder of functions: what `sam build` makes is tested in test_sam.py."""
    folder = tmp_path_factory.mktemp("package")
    (folder / FUNCTIONS.name).mkdir()
    (folder / FUNCTIONS.name / "handler.py").write_text("")
    for name in ("template.yaml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "statemachine", folder / "statemachine")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "a")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_PROFILE", raising=False)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        output, printed = folder / "out" / "prewarm.json", list[str]()

        def keep(*texts: object, file: object = None, **_: object) -> None:
            if file is None:
                printed.append(str(texts[0]))

        patch.setattr("builtins.print", keep)
        arguments = [BUCKET, "--template", str(folder / "template.yaml"), "--output", str(output)]
        assert main(arguments) == 0
        keys = {each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    server.stop()
    return Packaged(printed[-1], output, keys)


def test_template_is_uploaded_under_its_version_and_content(packaged: Packaged) -> None:
    place = (
        rf"https://{BUCKET}\.s3\.{REGION}\.amazonaws\.com/(cloudfront-prewarm/{__version__}/template-[0-9a-f]+\.json)"
    )
    match = re.fullmatch(place, packaged.url)
    assert match
    assert match[1] in packaged.keys
    assert packaged.path.stat().st_size < 1_000_000, "CloudFormation's limit of a template in S3"


def test_template_needs_no_transform_and_names_only_uploaded_files(packaged: Packaged) -> None:
    document = packaged.document
    assert "Transform" not in document
    kinds = {each["Type"] for each in document["Resources"].values()}
    assert [kind for kind in kinds if kind.startswith("AWS::Serverless::")] == []
    codes = [
        each["Properties"]["Code"]
        for each in document["Resources"].values()
        if each["Type"] == "AWS::Lambda::Function"
    ]
    assert codes
    assert {code["S3Key"] for code in codes} <= packaged.keys
    (machine,) = [e for e in document["Resources"].values() if e["Type"] == "AWS::StepFunctions::StateMachine"]
    assert machine["Properties"]["DefinitionS3Location"]["Key"] in packaged.keys
    assert document["Parameters"] == template()["Parameters"]
    assert document["Outputs"].keys() == template()["Outputs"].keys()


def test_template_passes_cfn_lint(packaged: Packaged) -> None:
    found = {finding for finding in lint(packaged.path, regions=(REGION,)) if finding[:2] not in ADDED_BY_SAM}
    assert found == set()


def test_no_parameter_is_replaced_by_its_default() -> None:
    """SAM's transform knows the stack's parameters in AWS; here it must leave each as a reference."""

    def with_defaults(change: Any) -> dict[str, Any]:
        source = template()
        source["Globals"]["Function"]["CodeUri"] = "s3://artefacts/functions.zip"
        source["Resources"]["PrewarmStateMachine"]["Properties"]["DefinitionUri"] = "s3://artefacts/machine.yaml"
        for parameter in source["Parameters"].values():
            parameter["Default"] = change(parameter["Default"])
        made = translated(source, REGION)
        del made["Parameters"]
        text = json.dumps(made, sort_keys=True)
        # Named after the moment of the translation: AlwaysDeploy.
        return dict(json.loads(re.sub(r"ApiDeployment[0-9a-f]+", "ApiDeployment", text)))

    def changed(default: Any) -> Any:
        return default + 4_321 if isinstance(default, int) else f"changed{default}"

    first, second = with_defaults(lambda default: default), with_defaults(changed)
    assert first["Resources"]["ApiUsagePlan"]["Properties"]["Throttle"]["RateLimit"] == {"Ref": "ApiRateLimit"}
    different = [name for name, each in first["Resources"].items() if second["Resources"].get(name) != each]
    assert [name for name in different if not name.startswith("ApiDeployment")] == []


def test_bytecode_is_compiled_for_the_runtime_and_valid_without_the_files_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """This test's own Python stands for that of the runtime, which may be missing here."""
    assert template()["Globals"]["Function"]["Runtime"] == RUNTIME
    function = tmp_path / "build" / "WarmFunction"
    (function / "warm").mkdir(parents=True)
    (function / "warm" / "handler.py").write_text("x = 1\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not compile_bytecode(function)
    assert f"no {RUNTIME} on the PATH" in capfd.readouterr().err
    (tmp_path / RUNTIME).symlink_to(sys.executable)
    assert compile_bytecode(function)
    (compiled,) = function.glob("warm/__pycache__/handler.*.pyc")
    # PEP 552: 1 is a hash, with 2 added the source is compared with it.
    assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 1


def test_local_paths_and_wrong_bucket_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    found = local_paths(template())
    assert "PrewarmStateMachine: statemachine/prewarm.asl.yaml" in found
    assert "AWS::ServerlessRepo::Application: LICENSE" in found
    with pytest.raises(SystemExit):
        main([""])
    assert "make package BUCKET=name" in capsys.readouterr().err


def test_repository_metadata_is_complete() -> None:
    metadata = template()["Metadata"]["AWS::ServerlessRepo::Application"]
    assert metadata["SemanticVersion"] == __version__
    for name in ("LicenseUrl", "ReadmeUrl"):
        assert (ROOT / metadata[name]).is_file()
    # Serverless Application Repository, "Publishing applications", limits of the properties.
    assert len(metadata["Description"]) <= 256
    assert len(metadata["Author"]) <= 127
    assert len(metadata["Labels"]) <= 10


def test_terraform_example_names_existing_parameters_and_outputs() -> None:
    path = ROOT / "examples/terraform/main.tf"
    with path.open(encoding="utf-8") as file:
        parsed = json.dumps(hcl2.load(file))
    text = path.read_text(encoding="utf-8")
    block = re.search(r"  parameters = \{\n(.*?)\n  \}", text, re.DOTALL)
    assert block
    named = set(re.findall(r"^    (\w+)\s*=", block[1], re.MULTILINE))
    assert named
    assert named <= template()["Parameters"].keys()
    outputs = set(re.findall(r'\.outputs\["(\w+)"\]', text))
    assert outputs
    assert outputs <= template()["Outputs"].keys()
    assert "aws_cloudformation_stack" in parsed
    assert not any(line.rstrip() != line or "\t" in line for line in text.splitlines())


def test_cdk_example_is_synthesised(packaged: Packaged, tmp_path: Path) -> None:

    reason = ""
    uv = Path(sys.executable).with_name("uv")
    cdk = tmp_path / "cdk"
    if shutil.which("node") is None:
        reason = "Node is missing"
    else:
        install = [str(uv), "pip", "install", "--quiet", "--require-hashes", "--target", str(cdk)]
        done = subprocess.run(
            [*install, "--python", sys.executable, "-r", str(ROOT / "requirements/cdk.txt")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        reason = f"aws-cdk-lib cannot be installed: {done.stderr[-300:]}" if done.returncode else ""
    if reason:
        warnings.warn(f"NOT SYNTHESISED: {reason}, so examples/cdk was not tested", stacklevel=1)
        pytest.skip(reason)

    environment = os.environ | {
        "PYTHONPATH": str(cdk), "PREWARM_TEMPLATE": str(packaged.path), "CDK_OUTDIR": str(tmp_path / "out"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/cdk/app.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "out" / "cloudfront-prewarm.template.json").read_text())
    assert made["Resources"].keys() >= packaged.document["Resources"].keys()
    assert "PrewarmFunction" in made["Outputs"]
    assert "RetentionDays" not in made["Parameters"], "the example sets it"
