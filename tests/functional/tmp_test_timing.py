import time
from tests.functional.test_warm_outcomes import *
def test_x(seen):
    for k,r in seen.records.items(): print(k,r["outcome"],r["tries"],r["total_ms"], r["detail"][:60])
