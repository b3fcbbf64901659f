"""`prewarm watch`: a run before your eyes."""

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, Run, command
from prewarm_cli.config import client_of
from prewarm_cli.follow import follow
from prewarm_cli.options.wait import Waiting, waiting_of


@command(waiting=waiting_of, client=client_of)
def watch(*, run: Run, waiting: Waiting, client: Client, as_json: AsJson = False) -> None:
    """Show a run until it ends: bars of its URLs and targets, rate, time left, failures as they come.

    Ctrl-C stops the watching, not the run. Where stdout is no terminal there are plain lines; with --json, one status
    a line whenever something has changed. Of a run of more than 1,000 URLs, the failures of the first 1,000 are shown
    as they come.

    Examples:
      prewarm watch 20261124T013829Z-c0af4526
      prewarm watch 20261124T013829Z-c0af4526 --json | jq .completed
    """
    follow(client, run, waiting, as_json=as_json, lines=True)
