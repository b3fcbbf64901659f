"""ResolveTargets and CreateInvalidations: from a request to a plan."""
