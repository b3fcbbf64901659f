"""The `prewarm` command."""

import gc

# A command loads hundreds of modules, up to a thousand. With Python's default of 700 objects, looking for reference
# cycles takes a tenth of its start.
gc.set_threshold(50_000)
