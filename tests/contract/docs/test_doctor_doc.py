"""docs/doctor.md lists the checks that the code makes."""

import re

from api import diagnose as of_api
from prewarm.diagnosis import Check
from prewarm_cli.doctor import account, budget, examination, judging, service, trials
from resolve import diagnose as of_resolve
from tests.support.definitions import ROOT

MODULES = (of_api, of_resolve, account, budget, examination, judging, service, trials)


def test_every_check_is_on_the_page_and_only_those() -> None:
    text = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    made = {each.name for module in MODULES for each in vars(module).values() if isinstance(each, Check)}
    assert len(listed) == len(set(listed))
    assert set(listed) == made
