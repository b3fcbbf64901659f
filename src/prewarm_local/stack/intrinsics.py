# ruff: noqa: ANN401  templates are JSON of any shape
"""CloudFormation's intrinsic functions, as far as this project's templates need them.

Names and ARNs have CloudFormation's form, `STACK-LOGICALID`, without the random suffix, since an embedded account
holds one stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")
# Stands for AWS::NoValue: a property with this value is removed.
_NO_VALUE = object()


class TemplateError(ValueError):
    """The template uses something that the embedded stack does not support.

    The message names the resource.
    """


@dataclass(frozen=True)
class Account:
    """The account and region in which the embedded stack is simulated."""

    account_id: str = "123456789012"
    region: str = "us-east-1"
    stack_name: str = "cloudfront-prewarm"
    partition: str = "aws"

    def pseudo_parameters(self) -> dict[str, object]:
        """Return the pseudo parameters (AWS::…) by name."""
        return {
            "AWS::AccountId": self.account_id,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": f"arn:aws:cloudformation:{self.region}:{self.account_id}:stack/{self.stack_name}/0",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _NO_VALUE,
        }


@dataclass
class Resolver:
    """Resolves the intrinsics of one translated template.

    `resources` and `conditions` are the template's sections, `parameters` the values of its parameters by name.
    """

    account: Account
    resources: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, object]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def resolve(self, value: object, where: str) -> Any:
        """Return `value` with its intrinsics resolved.

        `where` is the logical id for error messages.
        May raise TemplateError.
        """
        if isinstance(value, Mapping):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name == "Ref":
                    return self._ref(str(argument), where)
                if name.startswith("Fn::") or (name == "Condition" and isinstance(argument, str)):
                    return self._function(name, argument, where)
            pairs = ((key, self.resolve(item, where)) for key, item in value.items())
            return {key: item for key, item in pairs if item is not _NO_VALUE}
        if isinstance(value, list):
            return [item for item in (self.resolve(entry, where) for entry in value) if item is not _NO_VALUE]
        return value

    def _function(self, name: str, argument: Any, where: str) -> Any:
        functions: dict[str, Callable[[Any, str], Any]] = {
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair, there: self._same(*self.resolve(pair, there)),
            "Fn::Not": lambda one, there: not self.resolve(one[0], there),
            "Fn::And": lambda many, there: all(self.resolve(each, there) for each in many),
            "Fn::Or": lambda many, there: any(self.resolve(each, there) for each in many),
            "Condition": lambda condition, _: self.holds(condition),
        }
        if name not in functions:
            raise TemplateError(f"resource {where}: the embedded stack does not support the intrinsic {name}")
        return functions[name](argument, where)

    def _ref(self, target: str, where: str) -> Any:
        pseudo = self.account.pseudo_parameters()
        if target in pseudo:
            return pseudo[target]
        if target in self.parameters:
            # A Ref to a Number parameter is a string in CloudFormation.
            value = self.parameters[target]
            return value if isinstance(value, list) else str(value)
        if target not in self.resources:
            raise TemplateError(f"resource {where}: Ref to {target}, which is neither a parameter nor a resource")
        if self.resources[target]["Type"] in {"AWS::StepFunctions::StateMachine", "AWS::SNS::Topic"}:
            return self.arn(target)
        return self.name(target)

    def _get_att(self, argument: Any, where: str) -> Any:
        target, _, attribute = (
            argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        )
        if target not in self.resources:
            raise TemplateError(f"resource {where}: GetAtt of {target}, which is not a resource")
        kind = self.resources[target]["Type"]
        if attribute == "Arn":
            return self.arn(target)
        if attribute == "Name" and kind == "AWS::StepFunctions::StateMachine":
            return self.name(target)
        raise TemplateError(f"resource {where}: the embedded stack does not support {target}.{attribute} ({kind})")

    def _sub(self, argument: Any, where: str) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.resolve(value, where) for key, value in local.items()}

        def replace(match: re.Match[str]) -> str:
            literal, target = match.group(1), match.group(2).strip()
            if literal:
                return f"${{{target}}}"
            if target in values:
                return str(values[target])
            return str(self._get_att(target, where) if "." in target else self._ref(target, where))

        return _PLACEHOLDER.sub(replace, text)

    def _if(self, argument: Any, where: str) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.holds(condition) else otherwise, where)

    @staticmethod
    def _same(one: object, other: object) -> bool:
        # CloudFormation compares parameter values as strings.
        return str(one) == str(other)

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template is true. May raise TemplateError."""
        if condition not in self.conditions:
            raise TemplateError(f"condition {condition}: the template does not define it")
        return bool(self.resolve(self.conditions[condition], f"condition {condition}"))

    def _join(self, argument: Any, where: str) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.resolve(parts, where))

    def name(self, logical_id: str) -> str:
        """Return the physical name of a resource, by default made from its logical id."""
        if logical_id not in self._names:
            resource = self.resources[logical_id]
            properties = resource.get("Properties", {})
            named = _NAME_PROPERTIES.get(resource["Type"])
            explicit = self.resolve(properties[named], logical_id) if named in properties else None
            default = f"{self.account.stack_name}-{logical_id}"
            if resource["Type"] == "AWS::S3::Bucket":
                default = default.lower()
            self._names[logical_id] = explicit or default
        return self._names[logical_id]

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a resource. May raise TemplateError for an unsupported type."""
        kind = self.resources[logical_id]["Type"]
        if kind not in _ARNS:
            raise TemplateError(f"resource {logical_id}: the embedded stack does not support the ARN of a {kind}")
        account = self.account
        return _ARNS[kind].format(
            partition=account.partition, region=account.region, account=account.account_id, name=self.name(logical_id)
        )


_NAME_PROPERTIES = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::ApiGateway::Stage": "StageName",
}
# Formats of https://docs.aws.amazon.com/service-authorization/latest/reference/
_ARNS = {
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
}
