# ruff: noqa: ANN401  the objects are moto's own, which have no type hints
"""A patch for moto: the names of executions."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from prewarm_local.stack.moto_stepfunctions import StepFunctionsParserBackend

if TYPE_CHECKING:
    from prewarm_local.stack.moto_patches import MotoPatches


def patch_names(patches: MotoPatches) -> None:
    """Give an execution without a name a UUID as its name, and refuse the names that AWS refuses.

    moto names it None, so that its second start fails, and accepts any name.
    Source: Step Functions API Reference, "StartExecution", name.
    """

    def start(self: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **options: Any) -> Any:
        if name is None:
            name = str(uuid.uuid4())
        self._validate_name(name)
        return original(self, state_machine_arn, name, *rest, **options)

    original = patches.replace(StepFunctionsParserBackend, "start_execution", start)
