"""ResolveTargets and CreateInvalidations: turn a request into a plan."""

from prewarm.garbage import collect_rarely

# Called before the modules load: looking for reference cycles would take up to a seventh of a cold start's imports.
collect_rarely()
