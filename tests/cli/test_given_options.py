"""takeover.toml: what is wrong in it is told, and flags win over environment over file."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from tests.cli.program import plain_error, usage_error

from route53_takeover.base.errors import UsageError
from route53_takeover.cli.options import RunningOptions
from route53_takeover.storage.config_file import check_endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Cloud, Ended, Program


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('stack = "shop"\nspeling = 1\n', ("speling", "unknown")),
        ('config = "other.toml"\n', ("config", "unknown")),
        ("version = true\n", ("version", "unknown")),
        ("stack = [\n", ("takeover.toml", "TOML")),
        ("no_probe = 1\n", ("no_probe", "true or false")),
        ("record = 5\n", ("record", "list of texts")),
        ("record = [1, 2]\n", ("record", "list of texts")),
        ("stack = true\n", ("stack", "text or number")),
        ("[run]\nstack = 'shop'\n", ("run", "unknown")),
        ("[stack]\nname = 'shop'\n", ("stack", "text or number")),
    ],
)
def test_a_mistake_in_the_file_is_reported_with_its_name(
    program: Program, text: str, words: tuple[str, str]
) -> None:
    (program.home / "takeover.toml").write_text(text)
    plain_error(program("runs", "--output=json"), 2, *words)


def test_a_file_that_is_no_text_is_reported(program: Program) -> None:
    (program.home / "takeover.toml").write_bytes(b"\xff\xfe\x00")
    plain_error(program("runs"), 2, "takeover.toml")


def test_a_value_that_its_option_refuses_is_reported(program: Program) -> None:
    (program.home / "takeover.toml").write_text('hold = "soon"\n')
    usage_error(program("plan", "--stack=s", "--record=a.b", "--deploy=x"), "soon")


def test_flags_win_over_the_environment_over_the_file_over_the_defaults(
    program: Program, account: Cloud
) -> None:
    def deployed(ended: Ended) -> list[str]:
        assert ended.code == 0, ended.err
        return [step for step in ended.lines[0]["steps"] if step.startswith("Deploy with the")]

    toml = program.home / "takeover.toml"
    toml.write_text(
        f'stack = "shop"\nrecord = "www.example.com"\ndeploy = "echo from file"\noutput = "json"\n'
        f'endpoint-url = "{account.url}"\nttl = 30\nno-probe = true\n'
    )
    assert deployed(program("plan"))[0].endswith("from file")
    program.env["ROUTE53_TAKEOVER_DEPLOY"] = "echo from environment"
    assert deployed(program("plan"))[0].endswith("from environment")
    assert deployed(program("plan", "--deploy=echo from flag"))[0].endswith("echo from flag")
    other = program.home / "other.toml"
    other.write_text(toml.read_text().replace("shop", "shoop"))
    del program.env["ROUTE53_TAKEOVER_DEPLOY"]
    ended = program("plan", "--config=other.toml", "--skip-off")
    assert ended.code == 3
    assert "shoop" in ended.out


def test_what_the_file_says_is_reported_first_and_errors_in_json_if_it_asks(
    program: Program,
) -> None:
    toml = program.home / "takeover.toml"
    toml.write_text('output = "json"\ndeploy = "rm -r x"\nstack = "shop"\n')
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        del program.env[name]
    ended = program("run", "--auto", *shlex.split("--stack=s --record=a.b"))
    plain_error(ended, 1, "credentials")
    assert ended.err.startswith(f"options from {toml}: --deploy 'rm -r x' --output json\n")
    assert ended.result["run"] is None


def test_the_run_line_of_a_plan_holds_what_came_from_the_environment_and_the_file(
    program: Program, account: Cloud
) -> None:
    (program.home / "takeover.toml").write_text('record = ["www.example.com"]\nno-probe = true\n')
    program.env |= {
        "ROUTE53_TAKEOVER_STACK": "shop",
        "ROUTE53_TAKEOVER_ENDPOINT_URL": account.url,
        "ROUTE53_TAKEOVER_OUTPUT": "json",
    }
    line = program("plan", "--deploy=npx cdk deploy", "--hold=90s", "--ttl=keep").lines[0]
    words = shlex.split(line["run_line"])
    assert words[:2] == ["route53-takeover", "run"]
    assert words[-1] == "--auto"
    said = " ".join(words)
    for part in (
        "--stack shop",
        "--record www.example.com",
        f"--endpoint-url {account.url}",
        "--deploy npx cdk deploy",
        "--hold 90",
        "--ttl keep",
        "--no-probe",
        f"--state-dir {program.state}",
    ):
        assert part in said, (part, said)
    assert "--output" not in words
    assert line["config"] == str(program.home / "takeover.toml")
    reported = program("plan", "--deploy=npx cdk deploy", "--ttl=keep", "--output=text").out
    told = f"options from {line['config']}: --record www.example.com --no-probe"
    assert told in " ".join(reported.split())
    (program.home / "takeover.toml").unlink()
    program.env["ROUTE53_TAKEOVER_RECORD"] = "www.example.com"
    assert program("plan", "--deploy=npx cdk deploy").lines[0]["config"] is None


@pytest.mark.parametrize(
    "url",
    [
        "https://aws.example.net",
        "https://sts.s3.amazonaws.com",
        "https://abc.execute-api.us-east-1.amazonaws.com",
        "http://sts.us-east-1.amazonaws.com",
        "https://127.0.0.1.example.net",
    ],
)
def test_a_file_in_the_current_folder_cannot_send_credentials_elsewhere(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(UsageError, match="neither AWS's nor on") as refused:
        check_endpoint(tmp_path / "takeover.toml", {"endpoint_url": url})
    assert "--endpoint-url" in refused.value.hint
    for fine in (
        "https://sts.us-east-1.amazonaws.com",
        "https://route53.amazonaws.com",
        "https://cloudformation.cn-north-1.amazonaws.com.cn",
        "http://[::1]:4566",
        "https://cloudformation.us-gov-west-1.api.aws",
        "http://127.0.0.1:1",
    ):
        check_endpoint(tmp_path / "takeover.toml", {"endpoint_url": fine})


def test_the_program_refuses_a_file_that_others_can_write_and_one_that_names_an_endpoint(
    program: Program,
) -> None:
    toml = program.home / "takeover.toml"
    toml.write_text('endpoint-url = "https://aws.example.net"\n')
    plain_error(program("runs"), 2, "takeover.toml", "neither AWS's", hint="--endpoint-url")
    assert program("runs", "--config=takeover.toml").code == 0
    toml.chmod(0o666)
    plain_error(program("runs", "--config=takeover.toml"), 2, "others can write", hint="chmod")
    assert program("runs", "--config=/dev/null").code == 0


def test_a_switch_has_its_options_from_a_table_and_none_of_a_takeovers(program: Program) -> None:
    toml = program.home / "takeover.toml"
    toml.write_text('stack = "shop"\ndeploy = "cdk deploy Shop"\nquiet = true\n')
    line = ("switch", "--auto", "--domain=www.example.com", "--to=green/dev")
    told = program(*line, "--endpoint-url=http://127.0.0.1:9")
    assert "cdk deploy" not in told.err
    toml.write_text('[switch]\ndomain = "www.example.com"\nto = "a/b"\ndeploy = "make green"\n')
    told = program("switch", "--auto", "--endpoint-url=http://127.0.0.1:9")
    assert "options from" in told.err
    assert "--deploy 'make green'" in told.err
    assert "--domain www.example.com" in told.err
    for text, words in (
        ('[switch]\nstack = "shop"\n', ("stack", "unknown")),
        ('switch = "x"\n', ("switch", "table")),
        ('domain = "www.example.com"\n', ("domain", "unknown")),
    ):
        toml.write_text(text)
        plain_error(program("runs", "--output=json"), 2, *words)


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        (("rehearse", "--auto"), ("flag",)),
        (("run", "--dry-run", "--auto"), ("flag",)),
        (("resume", "a-run", "--auto"), ("flag", "variable")),
        (("run", "--auto"), ("flag", "variable", "file")),
        (("switch", "--domain=a.b", "--auto"), ("flag", "variable", "file")),
    ],
    ids="-".join,
)
def test_who_is_alerted_by_a_rehearsal_is_named_on_its_own_command_line(
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    counts: tuple[str, ...],
) -> None:
    given: list[tuple[str, bool | None]] = []

    def called(*arguments: object, **_: object) -> int:
        options = next(one for one in arguments if isinstance(one, RunningOptions))
        common = options.common()
        given.append((common.on_event, common.notify))
        return 0

    name = words[0]
    monkeypatch.setattr(f"route53_takeover.cli.commands.{name}.{name}", called)
    places = {
        "flag": ("--on-event=page me", "--notify"),
        "variable": {
            "ROUTE53_TAKEOVER_ON_EVENT": "page me",
            "ROUTE53_TAKEOVER_NOTIFY": "true",
        },
        "file": 'on-event = "page me"\nnotify = true\n',
    }
    for place, value in places.items():
        toml = program.home / "takeover.toml"
        toml.write_text(value if isinstance(value, str) else "")
        variables = value if isinstance(value, dict) else {}
        flags = value if isinstance(value, tuple) else ()
        program.env.update(variables)
        assert program(*words, *flags).code == 0
        for variable in variables:
            del program.env[variable]
        assert given.pop() == (("page me", True) if place in counts else ("", None)), place
