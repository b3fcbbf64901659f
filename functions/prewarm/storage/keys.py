"""The S3 keys of a run's documents.

Keys below `runs/{run}/`:

- `request.json`
- `plan/plan.json`
- `plan/urls.json.gz`: all URLs as in the request, by index
- `plan/fetched.json.gz`: by index, the fetched form of each URL that was given in another one; absent without any
- `plan/{attempt}/batches.json.gz`: all batches, with their pairs, except rectangles; absent in checkouts before 0.1.0
- `plan/{attempt}/addresses.json.gz`: for each group a map of POP id to addresses
- `plan/invalidations/{n}.json.gz`: the paths of one round of invalidations
- `plan/documents/{n}.json.gz`: the documents to invalidate that the n-th reading of the sources found
- `plan/{attempt}/blocks/{n}.json.gz`: a worker's input for one block of URLs
- `stages/{attempt}/{n}.json`: the Distributed Map's items
- `records/{batch}/{part}-{attempt}.jsonl.gz`: one record per target (before 0.1.0 `{batch}.{part}.jsonl.gz`)
- `cursors/{batch}/{part}-{attempt}.json`: what the attempt left to the next part
- `map/`: the map run's own results
- `checkpoint.bin`: the parts of batches that polls have read while the run was in progress (checkpoint.py)
- `summary.json`, `report.html`, `report.json`, `report.csv`
- `urls.index`: each URL's result, sorted by the hash of its fetched form (results/url_index.py)

The plan names its attempt; plans without one have these documents at `plan/` and `stages/`.

A dry run has only `request.json` and `dry_run.json`. Lists that callers upload are below `uploads/`. What
runs have learned is below `knowledge/` (storage/knowledge_store.py); no lifecycle rule expires it.
"""

POPS_KEY, NETWORKS_KEY = "knowledge/pops.json", "knowledge/networks.json"


def run_key(run: str, name: str) -> str:
    """Return the S3 key of one of a run's documents."""
    return f"runs/{run}/{name}"


def plan_key(run: str, attempt: str, name: str) -> str:
    """Return the key of a document that belongs to one attempt's plan."""
    return run_key(run, f"plan/{attempt}/{name}" if attempt else f"plan/{name}")


def stage_key(run: str, attempt: str, number: int) -> str:
    """Return the key of a stage of one attempt's plan; stages are counted from 1."""
    return run_key(run, f"stages/{attempt}/{number}.json" if attempt else f"stages/{number}.json")


def records_key(run: str, batch: str, part: int, attempt: str) -> str:
    """Return the key of an attempt's records."""
    return run_key(run, f"records/{batch}/{part}-{attempt}.jsonl.gz")


def cursor_key(run: str, batch: str, part: int, attempt: str) -> str:
    """Return the key of an attempt's cursor."""
    return run_key(run, f"cursors/{batch}/{part}-{attempt}.json")


def checkpoint_key(run: str) -> str:
    """Return the key of a running run's checkpoint."""
    return run_key(run, "checkpoint.bin")


def url_index_key(run: str) -> str:
    """Return the key of a run's URL index."""
    return run_key(run, "urls.index")
