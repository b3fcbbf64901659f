"""ResolveTargets and CreateInvalidations: turn a request into a plan."""
