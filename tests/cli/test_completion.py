"""Completion: what can follow on a line, and real shells that ask for it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
from typing import TYPE_CHECKING, cast

import pytest
import typer.main
from tests.cli.program import PROGRAM, plain_error

from route53_takeover.cli import app
from route53_takeover.cli.completion import answer_for, complete
from route53_takeover.cli.completion_scripts import SCRIPTS
from route53_takeover.cli.rehearsals import REHEARSALS
from route53_takeover.core.domain.names import RECORD_TYPES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program
    from typer.core import TyperGroup

TREE = cast("TyperGroup", typer.main.get_command(app.app))


def candidates(*words: str) -> list[str]:
    return [value for value, _ in answer_for(words, TREE).candidates]


def test_commands_come_first_then_their_options_and_those_of_the_program() -> None:
    assert candidates("re") == ["retire", "rehearse", "resume", "restore", "report"]
    assert candidates("") == list(TREE.commands)
    assert candidates("--sh") == ["--show-completion"]
    assert candidates("plan", "--re") == ["--record", "--restore-after", "--region"]
    assert candidates("plan", "--no-deploy", "--no-d") == ["--no-drain"], "not given twice"
    assert "--record" in candidates("plan", "--record", "a.b", "--rec"), "it may be repeated"
    assert candidates("unheard-of", "--") == []
    assert "--check" in candidates("switch", "--check=x", "")


def test_every_word_that_an_option_takes_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert candidates("plan", "--strategy", "") == ["delete", "adopt", "bridge", "weighted", "auto"]
    assert candidates("plan", "--strategy=ad") == ["--strategy=adopt"]
    assert candidates("rehearse", "--scenario", "") == list(REHEARSALS)
    assert "eu-west-1" in candidates("plan", "--region", "eu-")
    assert candidates("plan", "--record", "a.b/A,") == [
        f"a.b/A,{kind}" for kind in RECORD_TYPES if kind != "A"
    ]
    assert candidates("plan", "--record", "a.b") == []
    config = tmp_path / "config"
    config.write_text(
        "[default]\nregion = eu-west-1\n[profile prod admin]\nrole_arn = arn:x\n[sso-session s]\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    assert answer_for(["plan", "--profile", ""], TREE).candidates == [
        ("default", "eu-west-1"),
        ("prod admin", "arn:x"),
    ]
    config.write_text("[broken\n")
    assert candidates("plan", "--profile", "") == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("plan", "--template", ""), "files"),
        (("plan", "--template="), "files"),
        (("plan", "--deploy", "./"), "files"),
        (("plan", "--jets", ""), "dirs"),
        (("runs", "--state-dir", ""), "dirs"),
        (("plan", "--hold", ""), "words"),
    ],
)
def test_files_and_folders_are_left_to_the_shell(words: tuple[str, ...], kind: str) -> None:
    assert answer_for(words, TREE) == (kind, [])


def test_runs_are_offered_from_the_state_folder_the_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("20260101-000000-shop", '"stack": "shop",\n"records": [\n "www.example.com"\n],'),
        ("20260102-000000-site", '"rehearsal": "blue-green", "domain": "www.example.com",'),
        ("20260103-000000-none", ""),
    ):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "plan.json").write_text(text)
    (tmp_path / "runs" / "20260103-000000-none" / "plan.json").unlink()
    found = answer_for(["report", f"--state-dir={tmp_path}", ""], TREE).candidates
    assert [name for name, _ in found][-3:] == [
        "20260103-000000-none",
        "20260102-000000-site",
        "20260101-000000-shop",
    ]
    told = dict(found)
    assert told["20260101-000000-shop"] == "www.example.com into shop, just now"
    assert told["20260102-000000-site"] == "switch of www.example.com, just now, rehearsal"
    monkeypatch.setenv("ROUTE53_TAKEOVER_STATE_DIR", str(tmp_path))
    assert candidates("resume", "--auto", "20260101") == ["20260101-000000-shop"]
    assert candidates("rehearse", "--like", "20260101") == ["20260101-000000-shop"]


def test_what_a_file_says_does_not_act_on_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile a\x1b]0;x\x07b]\nregion = c\x1b[2J\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for shell in ("zsh", "fish"):
        assert "\x1b" not in complete(shell, ["plan", "--profile", ""], TREE)
    assert "\x1b" not in complete("bash", ["x plan --profile "], TREE)


def _asked(env: dict[str, str], shell: str, *words: str) -> list[str]:
    """What the program answers a shell."""
    done = subprocess.run(
        [PROGRAM, "--", *words],
        env=env | {"_ROUTE53_TAKEOVER_COMPLETE": shell},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_each_shell_gets_its_own_form(program: Program) -> None:
    assert _asked(program.env, "bash", "route53-takeover rehearse --scenario=never") == [
        "words",
        "never-created",
    ]
    told = _asked(program.env, "zsh", "rehearse", "--scenario=never")
    assert told[1].startswith("--scenario=never-created:CloudFormation never")
    told = _asked(program.env, "fish", "rehearse", "--scenario", "never")
    assert told[1].startswith("never-created\tCloudFormation never")
    listing = program.env | {"COMP_TYPE": "63", "COLUMNS": "80"}
    listed = _asked(listing, "bash", "route53-takeover re")
    assert listed[1].startswith("retire    (Check whether")
    assert max(map(len, listed)) <= 80
    assert _asked(program.env, "bash", "route53-takeover plan --deploy 'npx cdk") == ["files"]


def test_the_hook_of_other_programs_is_understood(program: Program) -> None:
    for name in ("bash_source", "source_bash"):
        told = "\n".join(_asked(program.env, name))
        assert "complete -F" in told
    env = program.env | {"_ROUTE53_TAKEOVER_COMPLETE": "tcsh"}
    done = subprocess.run([PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "bash, zsh, fish" in done.stderr


@pytest.mark.parametrize("shell", SCRIPTS)
def test_completion_is_installed_once_and_shown(program: Program, shell: str) -> None:
    shown = program("--show-completion", shell)
    assert (shown.code, shown.err) == (0, "")
    start = program.home / {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/x"}[shell]
    if shell != "fish":
        start.write_text("alias x=y")
    program.env["SHELL"] = f"/usr/bin/{shell}"
    assert program("--install-completion").code == 0
    ended = program("--install-completion")
    assert ended.code == 0, ended.err
    (path,) = [
        path
        for path in program.home.rglob("*route53-takeover*")
        if path.is_file() and path.read_text() == shown.out
    ]
    assert str(path) in ended.out
    if shell != "fish":
        first, line = start.read_text().splitlines()
        assert first == "alias x=y"
        assert line


def test_a_shell_without_completion_is_refused(program: Program) -> None:
    plain_error(program("--show-completion", "tcsh"), 2, "tcsh", hint="bash, zsh, fish")
    plain_error(program("--install-completion"), 2, "not known", hint="bash, zsh, fish")


def test_completion_loads_nothing_that_is_slow(program: Program) -> None:
    code = (
        "import os, sys\n"
        "os.environ['_ROUTE53_TAKEOVER_COMPLETE'] = 'zsh'\n"
        "from route53_takeover.cli import app as cli\n"
        "for words in (['plan', '--re'], ['report', ''], ['plan', '--region', 'eu-'],"
        " ['plan', '--profile', '']):\n"
        "    os.environ['_ROUTE53_TAKEOVER_COMPLETE'] = 'zsh'\n"
        "    sys.argv = ['route53-takeover', '--', *words]\n"
        "    try:\n        cli.main()\n"
        "    except SystemExit:\n        pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [shutil.which("python3", path=PROGRAM.parent) or "", "-c", code],
        env=program.env,
        capture_output=True,
        text=True,
        check=True,
    )
    slow = {"boto3", "botocore", "aiobotocore", "dns", "msgspec", "rich", "structlog", "textual"}
    assert not slow & set(done.stderr.split())


LINES = {
    "rehearse --scenario=nev": "rehearse --scenario=never-created",
    "rehearse --scenario nev": "rehearse --scenario never-created",
    "reti": "retire ",
    "plan --neg": "plan --negative-ttl",
    "plan --template ./long-na": "plan --template ./long-name.json",
    "report 2026": "report 20260101-000000-shop",
}


def _prepared(program: Program, shell: str) -> tuple[Path, dict[str, str]]:
    """The script for a shell, and the environment in which it finds the program."""
    (program.home / "long-name.json").touch()
    (program.state / "runs" / "20260101-000000-shop").mkdir(parents=True)
    script = program.home / "completion"
    script.write_text(program("--show-completion", shell).out)
    path = f"{PROGRAM.parent}:{program.env['PATH']}"
    return script, program.env | {"PATH": path, "TERM": "dumb", "COLUMNS": "200"}


class _Terminal:
    """A shell on a terminal."""

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, env)  # noqa: S606 -- it is a shell

    def shows(self, typed: str, until: str) -> str:
        """Types a text; what is shown until a text comes, or until a minute has passed."""
        os.write(self.fd, typed.encode())
        shown = ""
        for _ in range(600):
            if until in (flat := shown.replace("\r", "").replace("\n", "")):
                return flat
            if select.select([self.fd], [], [], 0.1)[0]:
                shown += os.read(self.fd, 65536).decode("utf-8", "replace")
        raise AssertionError(f"no {until!r} in {shown!r}")

    def close(self) -> None:
        """Hangs up."""
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_real_shell_completes_words(program: Program, shell: str) -> None:
    if (found := shutil.which(shell)) is None:
        pytest.skip(f"{shell} is not installed")
    script, env = _prepared(program, shell)
    words = {"bash": ["--noprofile", "--norc", "-i"], "zsh": ["-f", "-i"]}[shell]
    begin = {
        "bash": "bind 'set enable-bracketed-paste off'",
        "zsh": "autoload -Uz compinit; compinit -u -D",
    }[shell]
    terminal = _Terminal([found, *words], env)
    try:
        terminal.shows(f"cd {program.home}; {begin}; . {script}; echo rea''dy\r", "ready")
        for line, whole in LINES.items():
            terminal.shows(f"route53-takeover {line}\t", f"route53-takeover {whole}")
            os.write(terminal.fd, b"\x15")
    finally:
        terminal.close()


def test_real_fish_completes_words(program: Program) -> None:
    if (fish := shutil.which("fish")) is None:
        pytest.skip("fish is not installed")
    script, env = _prepared(program, "fish")
    for line, whole in LINES.items():
        done = subprocess.run(
            [
                *(fish, "--no-config", "-c"),
                f"source {script}; complete -C 'route53-takeover {line}'",
            ],
            env=env,
            cwd=program.home,
            capture_output=True,
            text=True,
            check=True,
        )
        offered = [each.partition("\t")[0] for each in done.stdout.splitlines()]
        assert whole.split()[-1] in offered, done
