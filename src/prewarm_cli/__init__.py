"""The `prewarm` command."""

import gc

# A command loads hundreds of modules, up to a thousand; at Python's usual 700 objects, to look for reference cycles
# meanwhile is a tenth of its start.
gc.set_threshold(50_000)
