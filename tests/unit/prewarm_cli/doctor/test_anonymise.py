import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.catalogue import catalogue
from prewarm_cli.doctor.anonymise import Anonymiser
from prewarm_cli.doctor.report import anonymiser_for

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LABEL = st.text(LETTERS + "0123456789-", min_size=4, max_size=12).filter(lambda text: text.strip("-") == text)
ZONES = ["com", "org", "net", "md", "py", "io", "cloudfront.net", "eu-west-1.amazonaws.com", "co.uk"]
HOST = st.builds(
    lambda labels, zone: ".".join([*labels, zone]), st.lists(LABEL, min_size=1, max_size=3), st.sampled_from(ZONES)
)
ACCOUNT = st.text("0123456789", min_size=12, max_size=12)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).filter(lambda address: int(address) > 0xFFFF).map(str)
NAME = st.text(LETTERS + "0123456789", min_size=5, max_size=12)
RANDOM_KEY = st.text(LETTERS + LETTERS.upper() + "0123456789", min_size=20, max_size=40).filter(
    lambda text: any(each.isdigit() for each in text) and any(each.isalpha() for each in text)
)
SECRETS = st.one_of(
    HOST,
    ACCOUNT,
    IPV4,
    IPV6,
    RANDOM_KEY,
    st.builds("arn:aws:sts::{}:assumed-role/{}/{}".format, ACCOUNT, NAME, NAME),
    st.builds("arn:aws-us-gov:states:us-gov-west-1:{}:execution:{}-prewarm:{}".format, ACCOUNT, NAME, NAME),
    st.builds("https://{}/{}?token={}".format, HOST, NAME, NAME),
    st.builds("s3://{}/{}".format, NAME, NAME),
    st.builds("{}@{}".format, NAME, HOST),
    st.builds("{}:443".format, IPV4),
    st.builds("AKIA{}".format, st.text("ABCDEFGHIJKLMNOP234567", min_size=16, max_size=16)),
    st.builds("{}-LedgerTable-{}".format, NAME, st.text(LETTERS.upper(), min_size=12, max_size=12)),
    st.builds("{}-runsbucket-{}".format, NAME, st.text(LETTERS, min_size=12, max_size=12)),
    st.builds("E{}".format, st.text("ABCDEFGHIJK0123456789", min_size=13, max_size=13)),
)
SENTENCES = st.sampled_from(
    [
        "{}",
        "{}.",
        "{} is served by it",
        "User: {} is not authorized to perform: states:StartExecution on resource: {}",
        "cannot reach {}: connection refused; nothing listens at this address",
        "the account ({}), and '{}' too",
        'Table: "{}" not found',
        "failed for {}, FRA56-P5 and {}",
        "`{}`|{}",
        "[{}]",
        "requested={}&then",
    ]
)
POPS = sorted(catalogue().pops)


@given(SENTENCES, SECRETS)
def test_no_identifier_stays_in_a_text(sentence: str, secret: str) -> None:
    shown = Anonymiser().text(sentence.replace("{}", secret))
    assert secret.lower() not in shown.lower()
    # Nor a part that identifies: a host in a URL, an account in an ARN.
    for part in secret.replace("/", " ").replace(":", " ").replace("@", " ").split():
        if len(part) >= 5 and part not in {
            "assumed-role",
            "states",
            "execution",
            "us-gov-west-1",
            "aws-us-gov",
            "https",
        }:
            assert part.lower() not in shown.lower()


@given(SECRETS, SECRETS)
def test_same_value_has_the_same_placeholder(first: str, second: str) -> None:
    anonymiser = Anonymiser()
    one, other = anonymiser.text(f"saw {first} now"), anonymiser.text(f"saw {second} now")
    assert anonymiser.text(f"saw {first} now") == one
    assert (one == other) == (first.lower() == second.lower())


@given(st.sampled_from(POPS), st.sampled_from(POPS))
def test_pop_ids_regions_and_versions_stay(first: str, second: str) -> None:
    text = f"{first} (Europe), {second} (Asia) respond; service 0.1.0 in eu-west-1, 3 targets, 12:34:56"
    assert Anonymiser().text(text) == text


@given(
    st.text(LETTERS + LETTERS.upper() + "-", min_size=4, max_size=30),
    HOST,
    st.lists(SENTENCES, min_size=1, max_size=4),
)
def test_values_of_the_call_do_not_stay_in_any_form(key: str, host: str, sentences: list[str]) -> None:
    anonymiser = anonymiser_for(f"https://{host}/v1", key, f"https://{host}:443/some/long/path.html?x=1")
    for sentence in sentences:
        for value in (host, host.upper(), f"https://{host}/v1", "/some/long/path.html"):
            assert host.lower() not in anonymiser.text(sentence.replace("{}", value)).lower()
    assert key.lower() not in anonymiser.text(f"sent {key} to {host}").replace("key-1", "").lower().split()


@pytest.mark.parametrize(
    "text",
    [
        "read docs/troubleshooting.md, and names below cloudfront.net",
        "see https://git.example.com/cloudfront-prewarm/tree/main/docs/troubleshooting.md#unproven",
        "the run ended with Prewarm.NotWarm, after Lambda.TooManyRequestsException",
        "An error occurred (NoSuchBucket) when calling the PutObject operation",
        "at most $0.0082 was estimated; 48 of 1,000 are unreserved",
    ],
)
def test_texts_that_identify_no_one_stay(text: str) -> None:
    assert Anonymiser().text(text) == text


def test_name_of_the_stack_and_its_account_are_replaced_where_they_are_known() -> None:
    arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:acme-shop-prewarm"
    anonymiser = anonymiser_for("https://abc.execute-api.eu-west-1.amazonaws.com/v1", "k" * 20, None, arn)
    assert anonymiser.text("acme-shop of 123456789012") == "stack-1 of account-1"


def test_documents_are_replaced_in_names_and_texts() -> None:
    document = {"shop.example.org": ["10.1.2.3", 7, None, {"a": "mail to jane@example.org"}]}
    shown = Anonymiser().document(document)
    assert shown == {"host-1": ["address-1", 7, None, {"a": "mail to email-1"}]}
