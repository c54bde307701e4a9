"""The text of a check: what it asks for, what is refused, and that no secret is shown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.http_checks import Check, Route
from route53_takeover.core.domain.http_secrets import (
    concealed,
    filled,
    literal_secrets,
    secret_values,
)
from route53_takeover.core.switch.check_syntax import parse_check, shown

URL = "https://www.example.com/up"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, Check(text="", url=URL)),
        (f"  {URL}\n", Check(text="", url=URL)),
        (f"'{URL}?a=1&b=2'", Check(text="", url=f"{URL}?a=1&b=2")),
        (f"GET {URL}", Check(text="", url=URL)),
        (f"get {URL}", Check(text="", url=URL)),
        (f"HEAD\n  '{URL}'", Check(text="", url=URL, method="HEAD")),
        (f"PURGE {URL}", Check(text="", url=URL, method="PURGE")),
        (f"{URL} -X DELETE", Check(text="", url=URL, method="DELETE")),
        (f"{URL} -XPUT", Check(text="", url=URL, method="PUT")),
        (f"{URL} --request=put", Check(text="", url=URL, method="PUT")),
        (f"{URL} -d a=1", Check(text="", url=URL, method="POST", headers=FORM, data="a=1")),
        (f"{URL} -d ''", Check(text="", url=URL, method="POST", headers=FORM)),
        (f"GET {URL} -d a=1", Check(text="", url=URL, headers=FORM, data="a=1")),
        (
            f"{URL} -d a=1 --data-raw '@b' -d c",
            Check(text="", url=URL, method="POST", headers=FORM, data="a=1&c&@b"),
        ),
        (
            f"""{URL} -H content-type:application/json -d '{{"a": "$5"}}'""",
            Check(
                text="",
                url=URL,
                method="POST",
                headers={"content-type": "application/json"},
                data='{"a": "$5"}',
            ),
        ),
        (
            f"{URL} -b a=1 --cookie 'b=2; c=3' -A 'me/1.0'",
            Check(text="", url=URL, headers={"User-Agent": "me/1.0", "Cookie": "a=1; b=2; c=3"}),
        ),
        (
            f"{URL} --expect-status 200,302 --expect-status=401 --expect-body=' a' --expect-body c",
            Check(text="", url=URL, statuses=(200, 302, 401), body=(" a", "c")),
        ),
        (
            f"{URL} --expect-header 'X-Env:  green: 1 ' --side-header X-Env",
            Check(
                text="",
                url=URL,
                expected={"x-env": "green: 1"},
                side_header="x-env",
            ),
        ),
        ("HTTPS://WWW.Example.COM.:443#f", Check(text="", url="https://www.example.com:443/")),
        ("http://bücher.example/ü", Check(text="", url="http://xn--bcher-kva.example/ü")),
        ("http://[::1]:8080/", Check(text="", url="http://[::1]:8080/")),
        ("http://127.0.0.1/", Check(text="", url="http://127.0.0.1/")),
    ],
)
def test_a_request_is_read_like_a_line_of_curl(text: str, expected: Check) -> None:
    read = parse_check(text)
    assert replace(read, text="") == expected
    assert read.text == shown(read)


@pytest.mark.parametrize(
    "text",
    [
        "curl -f https://www.example.com/",
        "./smoke.sh https://www.example.com/",
        "test 1 = 1 && echo 'it",
        "GET /up",
        "ftp://www.example.com/",
        "URL=https://www.example.com/ ./smoke.sh",
        "GET  ",
    ],
)
def test_anything_else_is_a_shell_command(text: str) -> None:
    assert parse_check(text) == Check(text=text.strip(), command=text.strip())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (" \n", "is empty"),
        ("a" * 20_000, "longer than"),
        ("echo \0", "NUL"),
        ("https://", "the URL has no host"),
        ("https://*.example.com/", "the URL has no host"),
        ("https://www..example.com/", "its label 2 is empty"),
        ("https://www.example.com:70000/", "this is no URL"),
        ("https://[::1/", "this is no URL"),
        ("'https://www.example.com/a b'", "no spaces"),
        ("'https://www.example.com\\@evil.example/'", "no spaces, backslashes"),
        ("https://me:pw@www.example.com/", "a user or a password"),
        (f"{URL} -H 'X: a", "a quote is not closed"),
        (f"{URL} -k", "'-k' is no option"),
        (f"{URL} --expect 200", "'--expect' is no option"),
        (f"{URL} | grep ok", "a word that no option stands before"),
        (f"{URL} -H", "-H has no value"),
        (f"{URL} -H X-Env", "--header has no colon"),
        (f"{URL} -H 'X Env: a'", "no name of a header"),
        (f"{URL} -H ': a'", "no name of a header"),
        (f"{URL} -H 'X: a\r\nY: b'", "no header can have"),
        (f"{URL} -H 'X: a' -H 'x: b'", "given twice"),
        (f"{URL} -b a=1 -H 'Cookie: b=2'", "given twice"),
        (f"{URL} -H 'Host: other.example'", "cannot be given"),
        (f"{URL} -H 'Content-Length: 5'", "cannot be given"),
        (f"{URL} -b cookies.txt", "no file of them"),
        (f"{URL} -d @login.json", "reads a file"),
        (f"GET {URL} -X POST", "a GET and a POST"),
        (f"{URL} -X 'A B'", "is no method"),
        (f"{URL} -X CONNECT", "is no method"),
        (f"{URL} -X GET -X GET", "given twice"),
        (f"{URL} --expect-status ok", "no status code"),
        (f"{URL} --expect-status 200,", "no status code"),
        (f"{URL} --expect-status 100", "no status code"),
        (f"{URL} --expect-status ٢٠٠", "no status code"),
        (f"{URL} --expect-body ''", "is empty"),
        (f"HEAD {URL} --expect-body a", "has no body"),
        (f"{URL} --expect-header X-Env", "has no colon"),
        (f"{URL} --expect-header X:a --expect-header x:b", "cannot have two values"),
        (f"{URL} --side-header 'X-Env: a'", "no name of a header"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_way_out(text: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_check(text)
    assert what in refused.value.message
    assert refused.value.hint
    assert len(refused.value.message) < 300


SECRETS = (
    f"POST '{URL}?api_key=k-11111&page=2' -H 'Authorization: Bearer t-22222' "
    "-H 'X-Auth-Token: x-33333' -H 'Origin: https://www.example.com' -b 'session=c-44444; lang=de' "
    "-d 'user=x&password=d-55555' --expect-status 302"
)


def test_no_secret_is_shown() -> None:
    check = parse_check(SECRETS)
    for text in (check.text, shown(check), repr(concealed(check))):
        for secret in ("k-11111", "t-22222", "x-33333", "c-44444", "d-55555"):
            assert secret not in text
    assert shown(check) == (
        f"POST '{URL}?api_key=***&page=2' -H 'Authorization: ***' -H 'X-Auth-Token: ***' "
        "-H 'Origin: https://www.example.com' -b 'session=***; lang=***' --data-raw *** "
        "--expect-status 302"
    )
    assert literal_secrets(check) == (
        *("the header Authorization", "the header X-Auth-Token", "the header Cookie"),
        *("the URL", "the data"),
    )
    assert {"k-11111", "t-22222", "x-33333", "c-44444", "d-55555", "rule"} <= secret_values(
        check, Route(headers={"X-Rule": "rule"})
    )


@pytest.mark.parametrize("cut", range(40, len(SECRETS), 7))
def test_no_secret_is_in_a_refusal_either(cut: int) -> None:
    """Whatever is wrong with the line, and wherever it breaks off."""
    for text in (SECRETS[:cut], SECRETS[:cut].replace("'", ""), f"{SECRETS[:cut]} oops"):
        try:
            parse_check(text)
        except UsageError as error:
            told = error.message + error.hint
            assert not [n for n in "12345" if n * 5 in told], told


def test_a_command_is_shown_without_what_looks_like_a_credential() -> None:
    check = parse_check("MY_API_TOKEN=abcdefgh ./smoke.sh")
    assert check.text == shown(check) == "MY_API_TOKEN=*** ./smoke.sh"
    assert check.command == "MY_API_TOKEN=abcdefgh ./smoke.sh"


def test_a_variable_takes_the_place_of_a_secret() -> None:
    check = parse_check(
        f"{URL} -H 'Authorization: Bearer ${{TOKEN}}' -b 'session=${{S}}' --data-raw '${{BODY}}'"
    )
    assert literal_secrets(check) == ()
    assert concealed(check) == check
    assert parse_check(shown(check)) == check
    sent = filled(check, {"TOKEN": "t", "S": "${TOKEN}", "BODY": "b"})
    assert sent.headers["Authorization"] == "Bearer t"
    assert sent.headers["Cookie"] == "session=${TOKEN}"
    assert sent.data == "b"
    with pytest.raises(UsageError, match="the variable S, which is not set"):
        filled(check, {"TOKEN": "t"})


def test_what_is_not_secret_survives_being_shown() -> None:
    text = (
        f"PUT '{URL}?a=1&b' -H 'X-A: it'\"'\"'s' --expect-status 200 --expect-body 'a  b' "
        "--expect-header 'x-env: green' --side-header x-env"
    )
    check = parse_check(text)
    assert parse_check(shown(check)) == check
