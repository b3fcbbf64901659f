"""moto's Step Functions interpreter, imported without the dependencies of its AWS Batch integration.

That integration imports moto's EC2, which takes 1.2 of the 3 seconds of a start; no state machine here runs Batch
jobs. A stub replaces `moto.batch.utils` during the import, and is removed afterwards.
"""

from __future__ import annotations

import enum
import importlib
import sys
import types

_NAME = "moto.batch.utils"


class JobStatus(enum.Enum):
    """The states of a Batch job that the interpreter refers to."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


if _NAME not in sys.modules and "moto.stepfunctions.parser.models" not in sys.modules:
    _stub = types.ModuleType(_NAME)
    _stub.JobStatus = JobStatus  # type: ignore[attr-defined]
    sys.modules[_NAME] = _stub
    try:
        importlib.import_module("moto.stepfunctions.parser.models")
    finally:
        del sys.modules[_NAME]

from moto.stepfunctions.parser.asl.component.common.path import result_path  # noqa: E402
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (  # noqa: E402
    distributed_item_processor_worker,
)
from moto.stepfunctions.parser.asl.parse.asl_parser import (  # noqa: E402
    AmazonStateLanguageParser,
    ASLParserException,
)
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor  # noqa: E402
from moto.stepfunctions.parser.asl.utils import json_path  # noqa: E402
from moto.stepfunctions.parser.backend import execution, execution_worker  # noqa: E402
from moto.stepfunctions.parser.models import (  # noqa: E402
    StepFunctionsParserBackend,
    stepfunctions_parser_backends,
)
from moto.stepfunctions.parser.utils import TMP_THREADS  # noqa: E402

__all__ = [
    "TMP_THREADS",
    "ASLParserException",
    "AmazonStateLanguageParser",
    "Preprocessor",
    "StepFunctionsParserBackend",
    "distributed_item_processor_worker",
    "execution",
    "execution_worker",
    "json_path",
    "result_path",
    "stepfunctions_parser_backends",
]
