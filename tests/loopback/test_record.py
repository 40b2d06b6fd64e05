"""Records show that a secret came, never which."""

import json

from abreast.loopback.dialect import REDACTED, RecordedRequest, redact_headers, redact_query


def test_headers_lose_their_secrets_but_not_their_names() -> None:
    sent = {"Authorization": "Bearer s3", "X-Api-Key": "s3", "x-goog-api-key": "s3", "Accept": "*"}
    assert redact_headers(sent) == {
        "authorization": REDACTED,
        "x-api-key": REDACTED,
        "x-goog-api-key": REDACTED,
        "accept": "*",
    }


def test_keys_in_a_query_are_redacted_too() -> None:
    assert redact_query("alt=sse&key=s3&x=1") == f"alt=sse&key={REDACTED}&x=1"
    assert redact_query("monkey=1") == "monkey=1"


def test_a_dump_is_one_line_whatever_the_client_sent() -> None:
    one = RecordedRequest(1, 2.0, "POST", "/x", "", {}, {"text": "a\nb \ud800 \u2028"})
    assert len(one.dump().splitlines()) == 1
    assert json.loads(one.dump())["body"] == {"text": "a\nb \ud800 \u2028"}
