"""The plan of a run: its groups, its batches, and what it will cost."""
