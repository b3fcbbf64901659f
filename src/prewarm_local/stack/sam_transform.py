"""Run the SAM transform on this machine, as CloudFormation does in AWS.

samtranslator takes half a second to import and as long to run, so this module is imported only where the result is
not cached yet (`transform_cache.py`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

from prewarm_local.stack.intrinsics import TemplateError
from prewarm_local.stack.session import isolated_session
from prewarm_local.stack.transform_cache import CODE_BUCKET, Transformed, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def transform(text: str, folder: Path, overrides: Mapping[str, str], region: str) -> Transformed:
    """Return the resources of a template's `text`; definitions are read from `folder`.

    May raise TemplateError (an unknown parameter, or one without a value), OSError, yaml.YAMLError, and
    samtranslator's InvalidDocumentException.
    """
    parse: Callable[[str], Any] = yaml_parse
    source = parse(text)
    values = _parameter_values(source, overrides)
    files = _inline_files(source, folder)
    marked_values = dict(values)
    to_py27_compatible_template(source, marked_values)
    # The transform calls AWS only to look up managed policies by name; templates here use ARNs, Refs or statements.
    translator = Translator({}, Parser(), boto_session=isolated_session(region))
    translated: dict[str, Any] = undo_mark_unicode_str_in_template(translator.translate(source, marked_values))
    # A round trip through JSON replaces the transform's own string and number classes.
    conditions, resources = json.loads(json.dumps([source.get("Conditions") or {}, translated["Resources"]]))
    return Transformed(values, conditions, resources, files)


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


def _inline_files(source: Any, folder: Path) -> dict[str, str]:  # noqa: ANN401  YAML
    """Replace references to files: samtranslator accepts only S3 locations. Return the digests of those read."""
    files: dict[str, str] = {}
    _mark_code(source.get("Globals", {}).get("Function", {}))
    for resource in source.get("Resources", {}).values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            _mark_code(properties)
        elif resource["Type"] == "AWS::Serverless::StateMachine" and isinstance(properties.get("DefinitionUri"), str):
            name = properties.pop("DefinitionUri")
            text = (folder / name).read_text(encoding="utf-8")
            files[name] = digest(text)
            properties["Definition"] = _parse_definition(text)
    return files


def _parse_definition(text: str) -> Any:  # noqa: ANN401  ASL
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def _mark_code(properties: Any) -> None:  # noqa: ANN401  YAML
    if isinstance(properties.get("CodeUri"), str):
        properties["CodeUri"] = {"Bucket": CODE_BUCKET, "Key": properties["CodeUri"]}
