"""What the routes call: Step Functions and the resolve function, created once per process."""

import functools

from api.runs.dry_run import Resolver
from api.runs.executions import Executions
from prewarm.settings import Settings

executions = functools.cache(lambda: Executions(Settings.from_environment().state_machine_arn))
# Whether the runs are executions on AWS: on the user's own machine there is no console to look at them.
has_console = functools.cache(lambda: not Settings.from_environment().own_machine)
resolver = functools.cache(lambda: Resolver(Settings.from_environment().resolve_function))
