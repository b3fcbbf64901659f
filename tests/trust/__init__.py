"""The fault matrix: runs of the whole service under faults, each recounted from what it stored.

`python -m tests.trust` runs all of it (`make trust`), test_trust.py a part. A case is a fault; with a seed, which
chooses the run's shape and the fault's moment, it is one run that can be replayed.
"""
