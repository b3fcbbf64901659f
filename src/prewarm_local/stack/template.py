"""Read the SAM template for the embedded stack.

samtranslator translates the template, as CloudFormation's transform does in AWS, and the resources that the stack
runs are selected from the result. Nothing is hard-coded: a function, route or variable added to the template exists
at the next start. Other types of resource (roles, policies, log groups, alarms) are skipped.
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

from prewarm_local.stack.intrinsics import Account, Resolver, TemplateError
from prewarm_local.stack.resources import Bucket, Function, Rule, StateMachine, Table
from prewarm_local.stack.routes import Api, read_api
from prewarm_local.stack.session import isolated_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# An installed wheel contains the template, the state machine and the functions; a checkout has them at its root.
_SHIPPED = Path(__file__).resolve().parents[1] / "service" / "template.yaml"
DEFAULT_TEMPLATE = _SHIPPED if _SHIPPED.is_file() else Path(__file__).resolve().parents[3] / "template.yaml"
# samtranslator accepts only S3 locations for code; this bucket name marks the local folders used instead.
_CODE_BUCKET = "local-folder"
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


@dataclass(frozen=True)
class Template:
    """The resources of a template, resolved for an embedded account."""

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

    May raise TemplateError (an unsupported intrinsic or attribute, an unknown parameter), OSError, yaml.YAMLError,
    and samtranslator's InvalidDocumentException for a template that AWS refuses too.
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
            rules.append(_rule(resolver.resolve(properties, logical_id)))
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


def _parameter_values(source: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, object]:
    defined = source.get("Parameters") or {}
    if unknown := sorted(set(overrides) - set(defined)):
        raise TemplateError(
            f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(defined))}"
        )
    values: dict[str, object] = {}
    for name, definition in defined.items():
        if name in overrides:
            values[name] = overrides[name]
        elif "Default" in definition:
            values[name] = definition["Default"]
        else:
            raise TemplateError(f"parameter {name} has no default; pass a value for it")
    return values


def _translate(source: Any, folder: Path, values: Mapping[str, object], account: Account) -> dict[str, Any]:  # noqa: ANN401  YAML
    """Run the SAM transform without AWS.

    Code and definition are read from the disk, not from S3.
    """
    _mark_code(source.get("Globals", {}).get("Function", {}))
    for resource in source.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            _mark_code(properties)
        elif resource["Type"] == "AWS::Serverless::StateMachine" and isinstance(properties.get("DefinitionUri"), str):
            # The YAML parser reads JSON too.
            text = (folder / properties.pop("DefinitionUri")).read_text(encoding="utf-8")
            properties["Definition"] = yaml.safe_load(text)
    marked_values = dict(values)
    to_py27_compatible_template(source, marked_values)
    # The transform calls AWS only to look up managed policies by name; templates here use ARNs, Refs or statements.
    translator = Translator({}, Parser(), boto_session=isolated_session(account.region))
    translated: dict[str, Any] = undo_mark_unicode_str_in_template(translator.translate(source, marked_values))
    # A round trip through JSON replaces the transform's own string and number classes.
    plain: dict[str, Any] = json.loads(json.dumps(translated))
    return plain


def _mark_code(properties: Any) -> None:  # noqa: ANN401  YAML
    if isinstance(properties.get("CodeUri"), str):
        properties["CodeUri"] = {"Bucket": _CODE_BUCKET, "Key": properties["CodeUri"]}


def _function(resolver: Resolver, logical_id: str, properties: Mapping[str, Any], folder: Path) -> Function:
    code = properties.get("Code", {})
    if code.get("S3Bucket") != _CODE_BUCKET:
        raise TemplateError(f"resource {logical_id}: the embedded stack requires a local folder as CodeUri")
    rest = {key: value for key, value in properties.items() if key not in ("Code", "Role")}
    resolved = resolver.resolve(rest, logical_id)
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


def _rule(properties: Mapping[str, Any]) -> Rule:
    """Return a rule from its resolved properties; a disabled rule has no targets."""
    enabled = properties.get("State", "ENABLED") == "ENABLED"
    targets = tuple(target["Arn"] for target in properties.get("Targets", ()))
    return Rule(properties["EventPattern"], targets if enabled else ())
