"""The form's other sources of URLs: files, which are uploaded if they are long, sitemaps, manifests, lists in S3."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.browser import TIMEOUT_MS, Visit, fill_for_singapore, respond_with
from tests.support.fake_runs import ended_run
from tests.support.service import DASHBOARD_SERVICE, DOMAIN, HOST

pytestmark = DASHBOARD_SERVICE

PAGE = f"https://{HOST}/page/3.html"
DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const form = document.querySelector("[data-form]");
  for (const kind of ["dragover", "drop"]) {
    form.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
  }
}"""
IN_S3: dict[str, Any] = {"targets_s3": "s3://bucket/targets.csv", "nearest": True, "region": []}
DROP_GZIP = """async ([name, text]) => {
  const packed = new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")));
  const data = new DataTransfer();
  data.items.add(new File([await packed.arrayBuffer()], name));
  document.querySelector("[data-form]").dispatchEvent(
    new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
}"""
SET_URLS = """text => {
  const urls = document.querySelector("#urls");
  urls.style.display = "none"; // the layout of so many lines takes seconds
  urls.value = text;
  urls.dispatchEvent(new Event("input", { bubbles: true }));
}"""


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file with this text onto the form."""
    page.evaluate(DROP, [name, text])


def test_file_is_uploaded_through_the_pages_policy_and_read_by_the_service(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    fill_for_singapore(page)
    page.get_by_label("URLs, one per line").fill("")
    file = page.locator("[data-file-chosen]")
    # A short plain list goes into the form, where it can be changed.
    drop(page, "short.txt", f"{PAGE}\n")
    expect(page.get_by_label("URLs, one per line")).to_have_value(PAGE)
    expect(file).to_be_hidden()
    page.get_by_label("URLs, one per line").fill("")
    # Any other format is stored as it is, and the run reads it.
    drop(page, "Sites für März.csv", f"url;hits\n{PAGE};3\n")
    expect(file).to_contain_text("Sites für März.csv, 47 B, is ready", timeout=TIMEOUT_MS)
    with page.expect_request("**/prewarm") as sent:
        page.get_by_role("button", name="Estimate only").click()
    body: Any = sent.value.post_data_json
    assert "url_list" not in body
    assert re.fullmatch(r"s3://[\w-]+/uploads/[0-9a-f]{64}/Sites-fur-Marz\.csv", body["url_list_s3"][0])
    # The service reads the file: it has one URL.
    expect(page.get_by_role("region", name="Estimate")).to_contain_text(
        f"{DOMAIN}: 1 URL through", timeout=TIMEOUT_MS
    )
    # The run's page and its form name the file, not where it is stored.
    document = {"requestID": "arn", "run": "ended", "request": body, "urls": 0, "hidden": []}
    page.route("**/status?*", respond_with(ended_run()))
    page.route("**/request?*", lambda route: route.fulfill(json=document))
    page.goto(f"{visitor.api}/#/run/ended")
    page.locator("[data-request] summary").click()
    expect(page.get_by_role("region", name="Request")).to_contain_text("uploaded file Sites-fur-Marz.csv")
    page.get_by_role("button", name="Run again…").click()
    expect(file).to_contain_text("Sites-fur-Marz.csv (the file of the earlier run)")
    assert "s3://" not in page.locator("[data-start-card]").inner_text()
    page.get_by_role("button", name="Remove").click()
    expect(file).to_be_hidden()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("#urls-error")).to_contain_text("choose a file")
    visitor.expect_status(400)


def test_problems_of_an_upload_are_shown_in_words_and_a_long_list_is_stored_first(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    fill_for_singapore(page)
    error, file = page.locator("#urls-error"), page.locator("[data-file-chosen]")
    drop(page, "empty.csv", "")
    expect(error).to_have_text("empty.csv is empty. Choose a file with at least one URL.")
    # A file of this size takes long to make.
    page.evaluate("Object.defineProperty(File.prototype, 'size', { configurable: true, get: () => 269_000_000 })")
    drop(page, "huge.csv", "x")
    expect(error).to_have_text(re.compile(r"huge.csv has 269 MB; a list may have 268 MB. Split it"))
    page.evaluate("delete File.prototype.size")
    allowed = {"Access-Control-Allow-Origin": "*"}
    page.route("**/*-runsbucket", lambda route: route.fulfill(status=403, headers=allowed))
    drop(page, "late.csv", f"url\n{PAGE}\n")
    expect(error).to_contain_text("late.csv was not uploaded: the storage refused it (403)")
    page.unroute("**/*-runsbucket")
    page.route("**/*-runsbucket", lambda route: route.abort())
    drop(page, "broken.csv", f"url\n{PAGE}\n")
    expect(error).to_contain_text("broken.csv was not uploaded: the connection broke")
    expect(file).to_be_hidden()
    page.unroute("**/*-runsbucket")
    visitor.expect_status(403)
    visitor.errors[:] = [each for each in visitor.errors if "ERR_FAILED" not in each]

    # More URLs than a request may have: the page stores them as a list first.
    started: list[Any] = []
    page.route("**/status?*", respond_with(ended_run()))

    def start(route: Any) -> None:
        started.append(route.request.post_data_json)
        route.fulfill(json={"requestID": "arn:x:ended"})

    page.route("**/prewarm", start)
    page.evaluate(SET_URLS, "\n".join(f"https://a.example/{number}" for number in range(100_001)))
    with page.expect_request("**/uploads") as asked:
        page.get_by_role("button", name="Start the run").click()
    described: Any = asked.value.post_data_json
    digest = described["sha256"]
    page.wait_for_url(re.compile("#/run/ended"))
    assert "url_list" not in started[0]
    assert started[0]["url_list_s3"][0].endswith(f"/uploads/{digest}/urls.txt")


def test_request_has_every_source_and_header_of_the_form(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    fill_for_singapore(page)
    page.get_by_text("Sitemaps, manifests, lists in S3").click()
    page.get_by_label("Sitemaps or feeds").fill(f"https://{HOST}/sitemap.xml\n https://{HOST}/feed ")
    page.get_by_label("HLS or DASH manifests").fill(f"https://{HOST}/video.m3u8")
    page.get_by_label("Lists in S3, one per line").fill("s3://bucket/urls.txt")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Label, to find the run by").fill("release 42")
    page.get_by_label("Request headers").fill("Accept-Language: de\nX-A:b:c")
    page.route("**/prewarm", lambda route: route.fulfill(json={"requestID": "arn:x:ended"}))
    page.route("**/status?*", respond_with(ended_run()))
    with page.expect_request("**/prewarm") as sent:
        page.get_by_role("button", name="Start the run").click()
    body: Any = sent.value.post_data_json
    assert body["sitemap"] == [f"https://{HOST}/sitemap.xml", f"https://{HOST}/feed"]
    assert (body["manifest"], body["url_list_s3"]) == ([f"https://{HOST}/video.m3u8"], ["s3://bucket/urls.txt"])
    assert body["headers"] == {"Accept-Language": "de", "X-A": "b:c"}
    assert body["label"] == "release 42"
    page.wait_for_url(re.compile("#/run/ended"))
    # A source with settings that the form has no fields for is started again with them.
    filtered = {"url": f"https://{HOST}/sitemap.xml", "include": ["/a/*"], "exclude": []}
    request = {"sitemap": [filtered, {"url": f"https://{HOST}/b.xml", "include": [], "exclude": []}],
               "region_type": "region", "region": ["all"], "invalidate": ["/a/*"], "verify": "all"}  # fmt: skip
    document = {"requestID": "arn", "run": "ended", "request": request, "urls": 0, "hidden": []}
    page.route("**/request?*", lambda route: route.fulfill(json=document))
    page.get_by_role("button", name="Run again…").click()
    expect(page.get_by_role("radio", name="Everywhere")).to_be_checked()
    expect(page.get_by_label("Sitemaps or feeds")).to_have_value(f"https://{HOST}/b.xml")
    expect(page.locator("[data-carried]")).to_contain_text("/a/*")
    with page.expect_request("**/prewarm") as again:
        page.get_by_role("button", name="Show the price, then start").click()
    expected: dict[str, Any] = {
        "sitemap": [f"https://{HOST}/b.xml", filtered],
        "invalidate": ["/a/*"],
        "verify": "all",
    }
    assert again.value.post_data_json == expected | {
        "region_type": "region", "region": "all", "fail_on": "any", "dry_run": True
    }  # fmt: skip


def test_pairs_come_from_s3_or_a_dropped_file_and_need_no_locations(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    start = page.get_by_role("button", name="Start the run")
    file, address = page.locator("[data-file-chosen]"), page.get_by_label("Pairs of URL and POP in S3")
    expect(start).to_be_enabled()
    page.route("**/status?*", respond_with(ended_run()))
    # The first line, or both columns under any name that the service reads, make a file one of pairs.
    pairs = f'\nPOP ,"URL"\nSIN2-P1,{PAGE}\n'
    drop(page, "list.csv", f"url,hits\n{PAGE},3\n")
    expect(file).to_contain_text("list.csv, 47 B, is ready", timeout=TIMEOUT_MS)
    expect(file).not_to_contain_text("pairs")
    page.get_by_role("button", name="Remove").click()
    drop(page, "no-columns.csv", f"#traffic,requests=9\nurl,pop,requests,bytes\n{PAGE},SIN2-P1,9,1\n")
    expect(file).to_contain_text("is ready: pairs of URL and POP, which need no locations", timeout=TIMEOUT_MS)
    drop(page, "pairs.csv", pairs)
    expect(file).to_contain_text(f"pairs.csv, {len(pairs)} B, is ready: pairs", timeout=TIMEOUT_MS)
    page.evaluate(DROP_GZIP, ["pairs.csv.gz", pairs])
    expect(file).to_contain_text("pairs.csv.gz", timeout=TIMEOUT_MS)
    expect(file).to_contain_text("is ready: pairs", timeout=TIMEOUT_MS)
    # The service reads the file, without a location.
    with page.expect_request("**/prewarm") as sent:
        page.get_by_role("button", name="Estimate only").click()
    body: Any = sent.value.post_data_json
    assert body["targets_s3"].endswith("/pairs.csv.gz")
    assert not {"region", "region_type", "url_list", "url_list_s3"} & body.keys()
    estimate = page.get_by_role("region", name="Estimate")
    expect(estimate).to_contain_text(f"{DOMAIN}: 1 URL through 1 POP", timeout=TIMEOUT_MS)
    # One list of pairs for a run.
    page.get_by_text("Sitemaps, manifests, lists in S3").click()
    address.fill(IN_S3["targets_s3"])
    start.click()
    expect(page.locator("#targets_s3-error")).to_contain_text("empty this field, or remove the file pairs.csv.gz")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("radio", name="Countries").check()
    page.get_by_role("checkbox", name=re.compile("Singapore")).check()
    page.route("**/prewarm", lambda route: route.fulfill(json={"requestID": "arn:x:ended"}))
    with page.expect_request("**/prewarm") as limited:
        start.click()
    in_s3: Any = limited.value.post_data_json
    assert (in_s3["targets_s3"], in_s3["region"]) == (IN_S3["targets_s3"], ["singapore"])
    check_pairs_are_shown_and_started_again(page, visitor.api, (body, IN_S3))


def check_pairs_are_shown_and_started_again(page: Page, api: str, requests: tuple[dict[str, Any], ...]) -> None:
    """Check that a run's page shows its pairs and starts them again, with options that the form has no field for."""
    start = page.get_by_role("button", name="Start the run")
    page.wait_for_url(re.compile("#/run/ended"))
    for stored in requests:
        document = {"requestID": "arn", "run": "ended", "request": stored, "urls": 0, "hidden": []}
        page.route("**/request?*", respond_with(document))
        page.goto(f"{api}/#/run/ended")
        page.reload()
        # The view is complete: a later one would have its section closed again.
        page.wait_for_load_state("networkidle")
        page.locator("[data-request] summary").click()
        name = "uploaded file pairs.csv.gz" if stored is not IN_S3 else IN_S3["targets_s3"]
        expect(page.get_by_role("region", name="Request")).to_contain_text(
            f"Pairs of URL and POP{name}", timeout=TIMEOUT_MS
        )
        expect(page.get_by_role("region", name="Request")).to_contain_text("Locationsthe POPs of the pairs")
        page.get_by_role("button", name="Run again…").click()
        with page.expect_request("**/prewarm") as again:
            start.click()
        repeated: Any = again.value.post_data_json
        kept = {key: value for key, value in repeated.items() if key in {"targets_s3", "nearest", "region"}}
        expected = {key: value for key, value in stored.items() if key in {"targets_s3", "nearest"}}
        assert kept == expected
        page.wait_for_url(re.compile("#/run/ended"))
