"""``switch`` in a simulated account over real HTTP: what is switched, what stays as it is, and why.

How a run is killed, stopped and resumed is in `tests.e2e.test_switch_processes`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.live import JSON
from tests.live_sites import WRITES, Wrote

from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget, EndpointType
from route53_takeover.simulation.aws.http.faults import AnswerLost, Refused, RequestLost
from route53_takeover.simulation.aws.web.sites import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cli.live import Switcher
    from tests.cli.program import Ended, Program
    from tests.live_sites import LiveAccount, LiveDomain, LiveFront

    from route53_takeover.simulation.aws.http.faults import Fault

OURS = "client"
OTHER = "a person"
RESULT = [
    *("event", "run", "seq", "time", "phase", "outcome", "exit_code", "reason", "owner_notice"),
    *("records", "switches", "api_calls"),
]
SWITCH = [
    *("kind", "target", "from", "to", "outcome", "switched_at", "first_green_at", "last_blue_at"),
]
DENIED = "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: that"


def outcomes(ended: Ended) -> list[str]:
    """What came of each thing that was to be switched."""
    return [switch["outcome"] for switch in ended.result["switches"]]


def assert_ended(ended: Ended, code: int, outcome: str) -> None:
    result = ended.result
    assert (ended.code, result["outcome"], result["exit_code"]) == (code, outcome, code), result
    assert result["phase"] == "ended"


# -- what is switched


@pytest.mark.parametrize(
    ("kind", "endpoint_type"),
    [
        (ApiKind.REST, EndpointType.REGIONAL),
        (ApiKind.HTTP, EndpointType.REGIONAL),
        (ApiKind.REST, EndpointType.EDGE),
    ],
)
def test_the_mappings_of_a_domain_are_switched_in_order(
    live: LiveAccount, switcher: Switcher, kind: ApiKind, endpoint_type: EndpointType
) -> None:
    site = live.domain("", "shop", "v2", kind=kind, endpoint_type=endpoint_type)
    done = switcher.switch(site)
    assert_ended(done, 0, "done")
    assert site.writes == [Wrote(OURS, path, str(site.green)) for path in ("", "shop", "v2")]
    result = done.result
    assert list(result) == RESULT
    assert [list(switch) for switch in result["switches"]] == [SWITCH] * 3
    assert [(s["kind"], s["target"], s["outcome"]) for s in result["switches"]] == [
        ("api-mapping", f"{site.name}{path}", "switched") for path in ("", "/shop", "/v2")
    ]
    assert {(s["from"], s["to"]) for s in result["switches"]} == {(str(site.blue), str(site.green))}
    for switch in result["switches"]:
        assert all(re.match(r"2\d{3}-..-..T", switch[key]) for key in SWITCH[5:7])
    assert "retire --stack" in result["owner_notice"]
    service = "apigateway" if endpoint_type is EndpointType.EDGE else "apigatewayv2"
    written = {call: n for call, n in result["api_calls"].items() if call in WRITES}
    name = "UpdateBasePathMapping" if service == "apigateway" else "UpdateApiMapping"
    assert set(written) == {f"{service}:{name}"}
    held_off = [line for line in done.lines if line["event"] == "swap-held-off"]
    assert 3 <= written.popitem()[1] <= 3 + len(held_off), "once, and again where it was held off"


def test_a_base_path_alone_is_switched(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain("", "shop")
    check = ("--check", f"https://{site.name}/shop/up --side-header x-env")
    only = ("--base-path", "/shop/")
    done = switcher("switch", *site.to_green, *check, *only, "--bake", "0s", "--auto", *JSON)
    assert_ended(done, 0, "done")
    assert site.leads_to == {"": site.blue, "shop": site.green}


def test_a_check_of_what_is_not_switched_is_refused(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain("", "shop")
    site.fails("green")  # or it would take that hour
    refused = switcher.switch(site, "--base-path", "shop")  # and the check asks for /up
    assert refused.code == 3, refused.result["reason"]


def test_a_switch_settles_only_after_its_last_mapping(
    live: LiveAccount, switcher: Switcher
) -> None:
    """Its edges take as long as they can, and the first mapping is green on all of them by then."""
    paths = ("", *(f"v{number}" for number in range(1, 7)))
    site = live.domain(*paths)
    done = switcher.switch(site, bake="0s")
    assert done.code == 0
    written = [line["time"] for line in done.lines if line["event"] == "swap-accepted"][-1]
    answers = [
        line
        for line in done.lines
        if line["event"] == "check-answered" and line["way"] == "live" and line["time"] > written
    ]
    assert len(answers) >= 5, "from green, in a row"


def test_a_distribution_is_switched_and_invalidated_only_once_it_is_deployed(
    live: LiveAccount, switcher: Switcher
) -> None:
    front = live.front()
    done = switcher.switch(front)
    assert_ended(done, 0, "done")
    blue, green = front.place_of(front.blue), front.place_of(front.green)
    assert front.writes == [
        Wrote(OURS, "", blue),  # proves that the way back may be written
        Wrote(OURS, "", green),
        Wrote(OURS, "/*", ""),
    ]
    wrote, invalidated = live.do(lambda: history_of(front)[-2:])
    assert invalidated - wrote >= live.world.cloudfront.habits.deploying
    (switch,) = done.result["switches"]
    assert (switch["kind"], switch["from"], switch["to"]) == ("cloudfront-origin", blue, green)
    sides = {line["answer"]["marks"] for line in done.lines if is_live(line, "settle")}
    assert sides == {"blue", "green"}, "the edges took their time"


def history_of(front: LiveFront) -> list[float]:
    """When each write came."""
    history = front.account.world.cloudfront.history
    return [each.time for each in history if each.distribution_id == front.key]


def is_live(line: Mapping[str, Any], phase: str) -> bool:
    """Whether a line is an answer on users' way in this phase."""
    is_answer = line["event"] == "check-answered" and line["phase"] == phase
    return bool(is_answer and line["way"] == "live")


def test_what_leads_to_green_already_is_left_alone(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain()
    live.do(lambda: site.lead(site.green))
    done = switcher.switch(site)
    assert (done.code, done.result["outcome"], done.result["run"]) == (0, "done", None)
    assert f"served by {site.green} already" in done.result["reason"]
    assert site.writes == [Wrote(OTHER, "", str(site.green))]
    assert switcher.program.folders() == []


def test_a_distribution_that_leads_to_green_already_is_left_alone(
    live: LiveAccount, switcher: Switcher
) -> None:
    front = live.front()
    to = ("--to", front.place_of(front.blue))
    done = switcher("switch", "--distribution", front.name, *to, *live.connection, "--auto")
    assert front.writes == []
    assert done.code == 0, done.err


def test_what_is_set_in_another_way_for_green_is_told(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    settings = live.world.api_gateway.api(site.blue.api_id).settings
    settings |= {"binaryMediaTypes": ["image/png"], "policy": '{"Statement": []}'}
    done = switcher("switch", *site.to_green, "--auto", "--bake", "0s", *JSON)
    assert done.code == 0
    assert "note: binary media types: blue has image/png, green not set" in done.err
    assert "warning: resource policy: blue has" in done.err


# -- checks that fail


def test_green_that_fails_its_check_changes_nothing(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain()
    site.fails("green")
    failed = switcher.switch(site)
    assert_ended(failed, 1, "failed")
    assert outcomes(failed) == ["untouched"]
    assert "the status is 500" in failed.result["reason"]
    assert site.writes == []
    phases = {line["phase"] for line in failed.lines}
    assert "switch" not in phases


def test_a_check_that_fails_in_the_bake_leads_everything_back(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain("", "v1")

    def fail_later(called: str, _: Mapping[str, Any]) -> None:
        if called in WRITES:
            green = site.sites["green"]
            green.troubles[:] = [Trouble(since=live.clock.now() + 12.0)]

    site.befall(fail_later)
    back = switcher.switch(site, bake="60s")
    assert_ended(back, 1, "restored")
    assert outcomes(back) == ["restored", "restored"]
    assert "--max-failures 2" in back.result["reason"]
    assert back.result["reason"].endswith(f"{site.name} is on blue")
    assert back.result["owner_notice"] is None
    assert site.leads_to == {"": site.blue, "v1": site.blue}
    assert len(site.writes) == 4
    assert [line["phase"] for line in back.lines].count("bake") >= 2


# -- other writers


def of_another(live: LiveAccount, site: LiveDomain) -> ApiTarget:
    """An API that is neither blue nor green."""
    other = ApiTarget(f"else{site.blue.api_id[4:]}", "dev")
    live.do(lambda: site.make(other, "blue"))
    return other


def once(is_time: Callable[[str], bool], act: Callable[[], object]) -> Callable[..., None]:
    """A rule: does something before the first call of which it is time, and nothing to the call."""
    done: list[bool] = []

    def rule(called: str, _: Mapping[str, Any]) -> None:
        if not done and is_time(called):
            done.append(True)
            act()

    return rule


def after_the_plan(switcher: Switcher) -> Callable[[str], bool]:
    """Whether a read comes that is not the plan's."""
    return lambda called: (
        called.endswith("Mappings")
        and any((folder / "backup.json").exists() for folder in switcher.program.folders())
    )


def changed_before_the_write(live: LiveAccount, switcher: Switcher) -> tuple[LiveDomain, Ended]:
    site = live.domain()
    other = of_another(live, site)
    site.befall(once(after_the_plan(switcher), lambda: site.lead(other)))
    ended = switcher.switch(site)
    assert site.writes == [Wrote(OTHER, "", str(other))]
    return site, ended


def test_a_mapping_that_another_writer_changes_before_the_write_is_left_alone(
    live: LiveAccount, switcher: Switcher
) -> None:
    site, ended = changed_before_the_write(live, switcher)
    assert outcomes(ended) == ["unknown"]
    assert f"another writer has changed {site.name}" in ended.result["reason"]


def test_a_site_that_another_writer_leads_elsewhere_is_unknown(
    live: LiveAccount, switcher: Switcher
) -> None:
    _, ended = changed_before_the_write(live, switcher)
    assert_ended(ended, 4, "unknown")


def changed_before_the_second_write(
    live: LiveAccount, switcher: Switcher
) -> tuple[LiveDomain, Ended]:
    site = live.domain("", "v1")
    other = of_another(live, site)
    site.befall(once(lambda called: called in WRITES, lambda: site.lead(other, "v1")))
    ended = switcher.switch(site)
    assert site.leads_to == {"": site.blue, "v1": other}
    assert [write for write in site.writes if write.what == "v1"] == [
        Wrote(OTHER, "v1", str(other))
    ]
    return site, ended


def test_a_second_mapping_that_another_writer_changes_is_left_alone_and_the_first_led_back(
    live: LiveAccount, switcher: Switcher
) -> None:
    _, ended = changed_before_the_second_write(live, switcher)
    assert outcomes(ended) == ["restored", "unknown"]


def test_a_site_of_which_another_writer_leads_a_part_elsewhere_is_unknown(
    live: LiveAccount, switcher: Switcher
) -> None:
    site, ended = changed_before_the_second_write(live, switcher)
    assert f"{site.name} is on blue" not in ended.result["reason"]
    assert_ended(ended, 4, "unknown")


def test_a_mapping_that_another_writer_changes_in_the_bake_is_left_alone(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    other = of_another(live, site)

    def soon() -> None:
        live.world.timeline.after(15.0, lambda: site.lead(other))

    site.befall(once(lambda called: called in WRITES, soon))
    ended = switcher.switch(site, bake="60s")
    assert_ended(ended, 4, "unknown")
    assert outcomes(ended) == ["unknown"]
    assert site.writes == [Wrote(OURS, "", str(site.green)), Wrote(OTHER, "", str(other))]
    assert f"it leads to {other} now" in ended.result["reason"]


def changed_before_the_update(live: LiveAccount, switcher: Switcher) -> tuple[LiveFront, Ended]:
    """A distribution of which another writer edits the comment once the way back is proven."""
    front = live.front()
    edit = lambda: live.world.cloudfront.edit(front.key, Comment="edited")  # noqa: E731
    front.befall(once(second_update(), edit))
    return front, switcher.switch(front)


def second_update() -> Callable[[str], bool]:
    """Whether the update that leads to green comes: the first one proves the way back."""
    seen: list[str] = []

    def is_time(called: str) -> bool:
        seen.extend([called] if called == "cloudfront:UpdateDistribution" else [])
        return len(seen) == 2

    return is_time


def test_a_distribution_that_another_writer_edits_before_the_update_is_left_alone(
    live: LiveAccount, switcher: Switcher
) -> None:
    front, ended = changed_before_the_update(live, switcher)
    assert_ended(ended, 4, "unknown")
    assert [write.by for write in front.writes] == [OURS, OTHER]
    assert front.leads_to == front.place_of(front.blue)
    assert live.do(lambda: live.world.cloudfront.distribution(front.key).config["Comment"]) == (
        "edited"
    )


def test_the_reason_says_once_what_another_writer_has_changed(
    live: LiveAccount, switcher: Switcher
) -> None:
    front, ended = changed_before_the_update(live, switcher)
    reason = ended.result["reason"]
    assert reason.count("another writer") == 1, reason
    assert f"it leads to {front.place_of(front.blue)} now" not in reason


def test_a_new_etag_alone_does_not_stop_the_switch(live: LiveAccount, switcher: Switcher) -> None:
    front = live.front()
    front.befall(once(second_update(), lambda: live.world.cloudfront.touch(front.key)))
    done = switcher.switch(front)
    assert_ended(done, 0, "done")
    assert done.result["api_calls"]["cloudfront:UpdateDistribution"] == 3
    held = [line for line in done.lines if line["event"] == "swap-held-off"]
    assert len(held) == 1
    assert front.leads_to == front.place_of(front.green)


# -- calls that go wrong

THROTTLED = Refused(code="TooManyRequestsException", message="Too Many Requests", status=429)


@pytest.mark.parametrize(
    ("faults", "sent"),
    [((AnswerLost(),), 1), ((RequestLost(),), 2), ((THROTTLED, THROTTLED), 3)],
    ids=["lost answer", "lost request", "throttled"],
)
def test_a_write_is_applied_once_whatever_becomes_of_its_call(
    live: LiveAccount, switcher: Switcher, faults: tuple[Fault, ...], sent: int
) -> None:
    site = live.domain()
    left = iter(faults)
    site.befall(lambda called, _: next(left, None) if called in WRITES else None)
    done = switcher.switch(site)
    assert_ended(done, 0, "done")
    assert site.writes == [Wrote(OURS, "", str(site.green))]
    assert done.result["api_calls"]["apigatewayv2:UpdateApiMapping"] == sent


@pytest.mark.parametrize("is_front", [False, True], ids=["domain", "distribution"])
def test_credentials_that_may_only_read_change_nothing_and_are_told_so(
    live: LiveAccount, switcher: Switcher, *, is_front: bool
) -> None:
    site = live.front() if is_front else live.domain()
    code = "AccessDenied" if is_front else "AccessDeniedException"
    denied = Refused(code=code, message=DENIED, status=403)
    site.befall(lambda called, _: denied if called in WRITES else None)
    failed = switcher.switch(site)
    assert_ended(failed, 1, "failed")
    assert outcomes(failed) == ["untouched"]
    assert site.writes == []
    assert DENIED in failed.result["reason"]
    action = "cloudfront:UpdateDistribution" if is_front else "apigateway:PATCH"
    assert f"allow {action} for these credentials" in failed.result["reason"]


def test_credentials_that_may_not_read_are_refused(live: LiveAccount, switcher: Switcher) -> None:
    site = live.domain()
    denied = Refused(code="AccessDeniedException", message=DENIED, status=403)
    site.befall(lambda *_: denied)
    refused = switcher.switch(site)
    assert (refused.code, refused.result["outcome"], refused.result["run"]) == (3, "refused", None)
    assert "allow apigateway:GET for these credentials" in refused.result["reason"]
    assert switcher.program.folders() == []


# -- what is not there, and wrong words


def test_what_is_not_there_is_refused_with_a_way_out(live: LiveAccount, switcher: Switcher) -> None:
    site, front = live.domain(), live.front()
    domain, distribution = ("--domain", site.name), ("--distribution", front.name)
    bearer = f"https://{site.name}/ -H 'Authorization: Bearer abcdefghijklmnop'"
    for words, told in (
        (("--domain", "no.example.com", "--to", "x/y"), "has no custom domain no.example.com"),
        ((*domain, "--to", "nothere/dev"), "There is no API nothere"),
        ((*domain, "--to", f"{site.green.api_id}/no", "--check", bearer), "has a secret in it"),
        ((*domain, "--to-stack", "no-stack"), "there is no stack no-stack"),
        ((*domain, "--base-path", "no", "--to", str(site.green)), "no mapping for the base path"),
        (("--distribution", "ENOPE", "--to", "a.example.com"), "no distribution ENOPE"),
        ((*distribution, "--origin", "no", "--to", "a.example.com"), "no origin or group no"),
    ):
        refused = switcher("switch", *words, *live.connection, "--auto", "--output", "json")
        assert refused.code == 3, (words, refused.err)
        assert (refused.result["outcome"], refused.result["run"]) == ("refused", None)
        assert told in refused.err.partition("error: ")[2], refused.err
        assert refused.err.splitlines()[-1].startswith("  "), "what to do about it"
    assert (site.writes, front.writes, switcher.program.folders()) == ([], [], [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "exactly one of --domain and --distribution is needed"),
        ("--domain x", "exactly one of --to and --to-stack is needed"),
        ("--domain x --distribution y --to a/b", "exactly one of --domain and --distribution"),
        ("--domain x --to a/b --to-stack c", "exactly one of --to and --to-stack"),
        ("--domain x --to a/b --origin o", "--origin belongs to --distribution"),
        ("--domain x --to a/b --invalidate /*", "--invalidate belongs to --distribution"),
        ("--domain x --to a/b --match-policies", "--match-policies belongs to --distribution"),
        ("--distribution x --to a.example.com --base-path p", "--base-path belongs to --domain"),
        ("--distribution x --to a.example.com --invalidate foo", "is no list of paths"),
        ("--distribution x --to nohost", "--to 'nohost' is no HOST[/PATH]"),
        ("--domain x --to apionly", "--to 'apionly' is no API_ID/STAGE"),
        ("--domain x --to a/b/c", "--to 'a/b/c' is no API_ID/STAGE"),
        ("--domain x --to a/b --bake abc", "'abc' is not a duration"),
        ("--domain x --to a/b --max-failures -1", "is not in the range"),
        ("--domain x --to a/b --check https://x/|--nope", "'--nope' is no option"),
        ("--domain x --to a/b --check https://x/|-b|a=${UNSET}", "needs the variable UNSET"),
        ("--domain= --to a/b", "the value is empty"),
    ],
)
def test_wrong_words_are_a_usage_error_before_anything_is_read(
    program: Program, words: str, told: str
) -> None:
    given = [word.replace("|", " ") for word in words.split()]
    for form in ((), ("--output", "json")):
        wrong = program("switch", *given, "--auto", "--endpoint-url", "http://127.0.0.1:9", *form)
        assert (wrong.code, wrong.out) == (2, ""), wrong.err
        assert told in wrong.err
        assert "reading the account" not in wrong.err
    assert not program.state.exists()


def test_without_a_terminal_it_asks_for_auto(program: Program) -> None:
    wrong = program("switch", "--domain", "x", "--to", "a/b")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--auto" in wrong.err


# -- what it prints


def test_stdout_is_one_json_object_a_line_and_text_goes_to_stderr(
    live: LiveAccount, switcher: Switcher
) -> None:
    site = live.domain()
    done = switcher.switch(site, "-v")
    lines = done.lines
    for line in lines:
        assert list(line)[:1] == ["event"] or list(line)[:5] == [
            *("run", "seq", "time", "phase", "event")
        ]
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", line["event"]), line
        assert line["run"] == switcher.run
    assert all(before["seq"] < after["seq"] for before, after in pairwise(lines))
    events = {line["event"] for line in lines}
    assert {"switch-started", "swap-read", "swap-intended", "swap-accepted", "result"} <= events
    assert f"run {switcher.run} in " in done.err
    text = switcher("switch", *live.domain().to_green, "--auto", "--bake", "0s")
    assert text.code == 0
    assert text.out.startswith("✔ done: ")
    assert "switch: switching to green" in text.err
    assert "warning: Without --check green is not tested" in text.err
