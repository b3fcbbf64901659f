"""The plan of a run: its groups, its batches, and its estimated cost."""
