"""`prewarm watch`: follow a run."""

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, Run, command
from prewarm_cli.config import client_of
from prewarm_cli.follow import follow
from prewarm_cli.options.wait import WaitOptions, wait_options_of


@command(wait_options=wait_options_of, client=client_of)
def watch(*, run: Run, wait_options: WaitOptions, client: Client, as_json: AsJson = False) -> None:
    """Follow a run until it ends: bars of its URLs and targets, what is not warm so far, rate and time left.

    Ctrl-C stops the display, not the run. If stdout is not a terminal, progress is printed as plain lines; with
    --json, as one status per line whenever it has changed. Failed URLs are counted as they occur, and printed at the
    end with what happened and what to do.

    Examples:
      prewarm watch 20261124T013829Z-c0af4526
      prewarm watch 20261124T013829Z-c0af4526 --json | jq .completed
    """
    follow(client, run, wait_options, as_json=as_json, lines=True)
