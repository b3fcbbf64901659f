"""Read the SAM template for the embedded stack.

samtranslator translates the template, as CloudFormation's transform does in AWS (`transform_cache.py`), and the
resources that the stack runs are selected from the result. Nothing is hard-coded: a function, route or variable added
to the template exists at the next start. Other types of resource (roles, policies, log groups, alarms) are skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prewarm_local.stack.intrinsics import Account, Resolver, TemplateError
from prewarm_local.stack.resources import Bucket, Function, Rule, StateMachine, Table
from prewarm_local.stack.routes import Api, read_api
from prewarm_local.stack.transform_cache import CODE_BUCKET, Transformed, transformed

if TYPE_CHECKING:
    from collections.abc import Mapping

# An installed wheel contains the template, the state machine and the functions; a checkout has them at its root.
_SHIPPED = Path(__file__).resolve().parents[1] / "service" / "template.yaml"
DEFAULT_TEMPLATE = _SHIPPED if _SHIPPED.is_file() else Path(__file__).resolve().parents[3] / "template.yaml"
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
    found = transformed(path, parameters or {}, account.region, _transform)
    resources = found.resources
    resolver = Resolver(account, resources, found.values, found.conditions)
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


def _transform(text: str, folder: Path, overrides: Mapping[str, str], region: str) -> Transformed:
    # Imported here: the import takes half a second, and the cache makes it unnecessary.
    from prewarm_local.stack.sam_transform import transform  # noqa: PLC0415

    return transform(text, folder, overrides, region)


def _function(resolver: Resolver, logical_id: str, properties: Mapping[str, Any], folder: Path) -> Function:
    code = properties.get("Code", {})
    if code.get("S3Bucket") != CODE_BUCKET:
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
