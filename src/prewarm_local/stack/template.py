"""The SAM template, read as the embedded stack needs it.

The template is translated by samtranslator, as CloudFormation's transform does it in AWS, and the few resources
that the stack runs are picked out of the result. Nothing is hard-coded: a function, route or variable added to the
template is there at the next start. Other kinds of resource (roles, policies, log groups, alarms) are passed over.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

from prewarm_local.stack.eventbridge import Rule, read_rule
from prewarm_local.stack.intrinsics import Account, Resolver, TemplateError
from prewarm_local.stack.routes import Api, read_api
from prewarm_local.stack.session import isolated_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# An installed wheel carries the template, the state machine and the functions; a checkout has them at its root.
_SHIPPED = Path(__file__).resolve().parents[1] / "service" / "template.yaml"
DEFAULT_TEMPLATE = _SHIPPED if _SHIPPED.is_file() else Path(__file__).resolve().parents[3] / "template.yaml"
# samtranslator accepts only S3 locations for code; this bucket name marks the local folders put in their place.
_CODE_BUCKET = "local-folder"
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


@dataclass(frozen=True)
class Function:
    """A Lambda function. `timeout` is in seconds, `memory` in MB, `code` the folder that Lambda would unpack."""

    logical_id: str
    name: str
    arn: str
    code: Path
    handler: str
    runtime: str
    timeout: int
    memory: int
    environment: dict[str, str]
    log_format: str


@dataclass(frozen=True)
class StateMachine:
    """A Step Functions state machine; `definition` is ASL as JSON text, its substitutions applied."""

    logical_id: str
    name: str
    arn: str
    role: str
    definition: str


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket."""

    logical_id: str
    name: str


@dataclass(frozen=True)
class Table:
    """A DynamoDB table; `schema` is what CreateTable takes, `ttl_attribute` None when items do not expire."""

    logical_id: str
    name: str
    schema: dict[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True)
class Template:
    """What a template defines, resolved against an embedded account."""

    path: Path
    account: Account
    functions: tuple[Function, ...]
    state_machines: tuple[StateMachine, ...]
    buckets: tuple[Bucket, ...]
    tables: tuple[Table, ...]
    api: Api | None
    rules: tuple[Rule, ...] = ()
    topics: tuple[str, ...] = ()


def load_template(
    path: Path | str = DEFAULT_TEMPLATE, parameters: Mapping[str, str] | None = None, account: Account | None = None
) -> Template:
    """Read the template at `path`; `parameters` override its parameters' defaults.

    May raise TemplateError (an intrinsic, attribute or parameter that is not known), OSError, yaml.YAMLError, and
    samtranslator's InvalidDocumentException for a template that AWS would refuse too.
    """
    path = Path(path).resolve()
    account = account or Account()
    parse: Callable[[str], Any] = yaml_parse
    source = parse(path.read_text(encoding="utf-8"))
    values = _parameter_values(source, parameters or {})
    translated = _translate(source, path.parent, values, account)
    resources: dict[str, dict[str, Any]] = translated["Resources"]
    resolver = Resolver(account, resources, values, source.get("Conditions") or {})
    functions: list[Function] = []
    machines: list[StateMachine] = []
    buckets: list[Bucket] = []
    tables: list[Table] = []
    rules: list[Rule] = []
    topics: list[str] = []
    for logical_id, resource in sorted(resources.items()):
        kind, properties = resource["Type"], resource.get("Properties", {})
        if "Condition" in resource and not resolver.holds(resource["Condition"]):
            continue
        if kind == "AWS::Lambda::Function":
            functions.append(_function(resolver, logical_id, properties, path.parent))
        elif kind == "AWS::StepFunctions::StateMachine":
            machines.append(_state_machine(resolver, logical_id, properties))
        elif kind == "AWS::S3::Bucket":
            buckets.append(Bucket(logical_id, resolver.name(logical_id)))
        elif kind == "AWS::DynamoDB::Table":
            tables.append(_table(resolver, logical_id, properties))
        elif kind == "AWS::Events::Rule":
            rules.append(read_rule(resolver.resolve(properties, logical_id)))
        elif kind == "AWS::SNS::Topic":
            topics.append(resolver.name(logical_id))
    return Template(
        path,
        account,
        tuple(functions),
        tuple(machines),
        tuple(buckets),
        tuple(tables),
        read_api(resolver, resources),
        tuple(rules),
        tuple(topics),
    )


def _parameter_values(source: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, object]:
    defined = source.get("Parameters") or {}
    if unknown := sorted(set(given) - set(defined)):
        raise TemplateError(
            f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(defined))}"
        )
    values: dict[str, object] = {}
    for name, definition in defined.items():
        if name in given:
            values[name] = given[name]
        elif "Default" in definition:
            values[name] = definition["Default"]
        else:
            raise TemplateError(f"parameter {name} has no default and no value was given")
    return values


def _translate(source: Any, folder: Path, values: Mapping[str, object], account: Account) -> dict[str, Any]:  # noqa: ANN401  YAML
    """Run the SAM transform without AWS: code and definition are taken from the disk, not from S3."""
    _mark_code(source.get("Globals", {}).get("Function", {}))
    for resource in source.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            _mark_code(properties)
        elif resource["Type"] == "AWS::Serverless::StateMachine" and isinstance(properties.get("DefinitionUri"), str):
            # YAML holds JSON too.
            text = (folder / properties.pop("DefinitionUri")).read_text(encoding="utf-8")
            properties["Definition"] = yaml.safe_load(text)
    marked_values = dict(values)
    to_py27_compatible_template(source, marked_values)
    # The only AWS call of the transform looks up managed policies by name; templates here name ARNs or statements.
    translator = Translator({}, Parser(), boto_session=isolated_session(account.region))
    translated: dict[str, Any] = undo_mark_unicode_str_in_template(translator.translate(source, marked_values))
    # Through JSON, so that none of the transform's own string and number classes leave here.
    plain: dict[str, Any] = json.loads(json.dumps(translated))
    return plain


def _mark_code(properties: Any) -> None:  # noqa: ANN401  YAML
    if isinstance(properties.get("CodeUri"), str):
        properties["CodeUri"] = {"Bucket": _CODE_BUCKET, "Key": properties["CodeUri"]}


def _function(resolver: Resolver, logical_id: str, properties: Mapping[str, Any], folder: Path) -> Function:
    code = properties.get("Code", {})
    if code.get("S3Bucket") != _CODE_BUCKET:
        raise TemplateError(
            f"resource {logical_id}: the embedded stack runs functions whose CodeUri is a local folder"
        )
    wanted = {key: value for key, value in properties.items() if key not in ("Code", "Role")}
    resolved = resolver.resolve(wanted, logical_id)
    variables = resolved.get("Environment", {}).get("Variables", {})
    return Function(
        logical_id=logical_id,
        name=resolver.name(logical_id),
        arn=resolver.arn(logical_id),
        code=(folder / code["S3Key"]).resolve(),
        handler=resolved["Handler"],
        runtime=resolved["Runtime"],
        # Lambda's defaults: 3 s and 128 MB.
        timeout=int(resolved.get("Timeout", 3)),
        memory=int(resolved.get("MemorySize", 128)),
        environment={key: str(value) for key, value in variables.items()},
        log_format=resolved.get("LoggingConfig", {}).get("LogFormat", "Text"),
    )


def _state_machine(resolver: Resolver, logical_id: str, properties: Mapping[str, Any]) -> StateMachine:
    definition = resolver.resolve(properties["DefinitionString"], logical_id)
    substitutions = resolver.resolve(properties.get("DefinitionSubstitutions", {}), logical_id)

    def substitute(match: re.Match[str]) -> str:
        if match.group(1) not in substitutions:
            raise TemplateError(f"resource {logical_id}: ${{{match.group(1)}}} is not in DefinitionSubstitutions")
        return str(substitutions[match.group(1)])

    definition = _SUBSTITUTION.sub(substitute, definition)
    role = resolver.resolve(properties["RoleArn"], logical_id)
    return StateMachine(logical_id, resolver.name(logical_id), resolver.arn(logical_id), role, definition)


def _table(resolver: Resolver, logical_id: str, properties: Mapping[str, Any]) -> Table:
    resolved = resolver.resolve(properties, logical_id)
    kept = ("AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput", "GlobalSecondaryIndexes")
    schema = {key: resolved[key] for key in kept if key in resolved}
    ttl = resolved.get("TimeToLiveSpecification", {})
    return Table(
        logical_id, resolver.name(logical_id), schema, ttl.get("AttributeName") if ttl.get("Enabled") else None
    )
