"""`--jets` as a process, on apps that a stand-in for the `jets` command deploys."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.e2e.simulated import JSON, KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.processes import Finished, Takeover
    from tests.e2e.simulated import Account

STAND_IN = Path(__file__).with_name("jets_stand_in.py")
ENABLE = 'ENV["ROUTE53_ENABLE"] == "true"'
OLD = "d1old.cloudfront.net."
RECORD = ("--record", "www.example.com")
QUICK = ("--no-drain", "--no-probe", "--hold", "0.4", "--settle", "1")

JETS_6 = {
    "config/jets/project.rb": 'Jets.project.configure do\n  config.name = "my_shop"\nend\n',
    "config/jets/bootstrap.rb": "Jets.bootstrap.configure do\n"
    '  config.codebuild.project.env.pass = ["ROUTE53_ENABLE"]\nend\n',
    "config/jets/deploy.rb": "Jets.deploy.configure do\n"
    f"  config.lambda.url.cloudfront.route53.enable = {ENABLE}\nend\n",
}
JETS_5 = {
    "config/application.rb": "Jets.application.configure do\n"
    '  config.project_name = "my_shop"\n'
    '  config.domain.hosted_zone_name = "example.com"\n'
    '  config.domain.name = "www.example.com"\n'
    "  config.domain.apex = true\n"
    f"  config.domain.route53 = {ENABLE}\nend\n",
}


class App(NamedTuple):
    """A Jets app, an account, and the command that hands the record over."""

    folder: Path
    account: Account
    takeover: Takeover

    @property
    def target(self) -> tuple[str, ...]:
        reached = ("--endpoint-url", self.account.reported["endpoint_url"], "--region", "us-east-1")
        return ("--jets", str(self.folder), *RECORD, *reached, *QUICK)

    def plan(self, *more: str) -> Finished:
        return self.takeover.run("plan", *self.target, *JSON, *more)

    def run(self, *more: str) -> Finished:
        return self.takeover.run("run", *self.target, "--auto", *JSON, *more, seconds=120)

    def log(self, switch: str) -> str:
        return (self.takeover.run_folder / f"deploy-{switch}.log").read_text("utf-8")

    def deploy(self, switch: str, *words: str, answer: str | None = None) -> tuple[int, str]:
        """Deploys it without a takeover, as its team does; the exit code and what was printed."""
        reported = subprocess.run(
            ["bundle", "exec", "jets", "deploy", *words],
            cwd=self.folder,
            env=self.takeover.environment
            | {"AWS_ENDPOINT_URL": self.account.reported["endpoint_url"], "ROUTE53_ENABLE": switch},
            **({"stdin": subprocess.DEVNULL} if answer is None else {"input": answer}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return reported.returncode, reported.stdout + reported.stderr

    @property
    def files(self) -> dict[str, bytes]:
        """The app's own files."""
        return {
            str(file): file.read_bytes()
            for file in self.folder.rglob("*")
            if file.is_file() and not file.name.startswith(".")
        }


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder with `jets` and `bundle`, which start the stand-in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    start = f'exec "{sys.executable}" -I -S "{STAND_IN}" "$@"\n'
    bundle = '[ "$1 $2" = "exec jets" ] || exit 64\nshift 2\n'
    for name, text in {"jets": start, "bundle": bundle + start}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}", "utf-8")
        (folder / name).chmod(stat.S_IRWXU)
    return folder


@pytest.fixture
def app(
    simulated: Callable[..., Account],
    takeover: Takeover,
    commands: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> App:
    """An app of the version that ``request.param`` says, and its account."""
    version = getattr(request, "param", "6.0.4")
    is_new = version.startswith("6")
    folder = tmp_path / "shop app"
    lock = f"GEM\n  specs:\n    jets ({version})\n"
    files = JETS_6 if is_new else JETS_5
    for name, text in {**files, "Gemfile": 'gem "jets"\n', "Gemfile.lock": lock}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    path = f"{commands}:{takeover.environment['PATH']}"
    takeover.environment |= KEYS | {"PATH": path}
    return App(folder, simulated(speed=4), takeover)


def records(app: App) -> list[tuple[str, str]]:
    """Type and target of what stands at the name."""
    return [
        (
            r["Type"],
            r["AliasTarget"]["DNSName"] if "AliasTarget" in r else r["ResourceRecords"][0]["Value"],
        )
        for r in app.account.records
    ]


def test_jets_6_is_taken_over_through_both_updates_of_each_deploy(app: App) -> None:
    before = app.files
    (plan,) = app.plan().lines
    assert (plan["refused"], plan["reasons"]) == (False, [])
    assert "jets deploy --yes" in " ".join(plan["steps"])
    done = app.run()
    assert (done.code, done.result["outcome"]) == (0, "done"), (done.result, app.log("on"))
    assert done.result["records"][0]["outcome"] == "created"
    assert "my-shop-dev" in done.result["owner_notice"]
    assert records(app) == [("A", "d1new.cloudfront.net.")]
    assert app.log("on").count("Stack status: UPDATE_COMPLETE") == 2
    assert "Route53RecordSet" not in app.log("on"), "the stand-in prints the parent's events alone"
    assert app.files == before


def test_a_switch_that_codebuild_does_not_get_is_refused_before_anything_is_deployed(
    app: App,
) -> None:
    (app.folder / "config/jets/bootstrap.rb").write_text("Jets.bootstrap.configure do\nend\n")
    before = app.files
    planned = app.plan()
    (plan,) = planned.lines
    assert (planned.code, plan["refused"]) == (3, True)
    line = 'config.codebuild.project.env.pass = ["ROUTE53_ENABLE"]'
    assert f"Add this line to config/jets/bootstrap.rb: {line}" in " ".join(plan["reasons"])
    assert app.run().code == 3
    assert (app.account.status, app.files) == (None, before)
    # And so it is: the record is in neither of the two templates.
    assert app.deploy("true", "--yes")[0] == 0
    assert records(app) == [("A", OLD)]


def test_a_jets_that_is_not_installed_is_refused(app: App, commands: Path) -> None:
    (app.folder / "Gemfile.lock").unlink()
    assert app.plan().code == 0
    (commands / "jets").unlink()
    refused = app.plan()
    assert refused.code == 3
    assert "program jets not found on PATH" in " ".join(refused.lines[0]["reasons"])


def test_a_question_without_an_answer_exits_0_and_is_named_in_the_result(app: App) -> None:
    (app.folder / "asks-always").touch()
    assert app.deploy("true")[0] == 0
    assert app.deploy("true", answer="n\n")[0] == 0
    ended = app.run()
    assert (ended.code, ended.result["outcome"]) == (1, "failed")
    assert "exited 0, but there is no stack my-shop-dev" in ended.result["reason"]
    assert "declined or could not be answered" in ended.result["reason"]
    (app.folder / "asks-always").unlink()
    assert app.deploy("false", "--yes")[0] == 0
    (app.folder / "asks-always").touch()
    ended = app.run()
    assert (ended.code, ended.result["outcome"]) == (1, "failed")
    assert "exited 0, but nothing was deployed" in ended.result["reason"]
    assert "declined or could not be answered" in ended.result["reason"]
    assert ended.result["records"][0]["outcome"] == "untouched"
    assert records(app) == [("A", OLD)]


@pytest.mark.parametrize("app", ["5.0.13", "4.0.10"], indirect=True)
def test_jets_4_and_5_create_domain_and_record_in_one_deploy(app: App) -> None:
    application = app.folder / "config/application.rb"
    full = application.read_text("utf-8")
    application.write_text(full.replace("domain.hosted_zone_name", "domain.other"), "utf-8")
    assert app.deploy("false")[0] == 0
    application.write_text(full, "utf-8")
    refused = app.plan()
    assert (refused.code, refused.lines[0]["refused"]) == (3, True)
    assert "--skip-off" in " ".join(refused.lines[0]["reasons"])
    done = app.run("--skip-off")
    assert (done.code, done.result["outcome"]) == (0, "done"), (done.result, app.log("on"))
    assert "my-shop-dev" in done.result["owner_notice"]
    assert records(app) == [("A", "d-new.execute-api.us-east-1.amazonaws.com.")]


@pytest.mark.parametrize("app", ["5.0.13"], indirect=True)
def test_a_record_that_jets_5_leaves_out_is_refused_where_its_stack_has_the_domain(
    app: App,
) -> None:
    assert app.deploy("false")[0] == 0  # it creates the domain, without the record
    assert app.deploy("true")[0] == 0
    assert records(app) == [("A", OLD)], "and now it is left out for good"
    refused = app.plan("--skip-off")
    assert refused.code == 3
    said = " ".join(refused.lines[0]["reasons"])
    assert "stack my-shop-dev has the API Gateway custom domain www.example.com" in said
    assert "app/shared/resources" in said


@pytest.mark.parametrize("app", ["5.0.13"], indirect=True)
def test_a_record_that_jets_5_leaves_out_is_named_in_the_ending(app: App) -> None:
    application = app.folder / "config/application.rb"
    full = application.read_text("utf-8")
    application.write_text(full.replace("domain.hosted_zone_name", "domain.other"), "utf-8")
    assert app.deploy("false")[0] == 0
    application.write_text(full, "utf-8")
    (app.folder / "custom-domains").write_text("www.example.com\n")  # made by hand
    ended = app.run("--skip-off")
    assert (ended.code, ended.result["outcome"]) == (1, "failed"), ended.result
    assert "Jets 5 leaves it out" in ended.result["reason"]
    assert "app/shared/resources" in ended.result["reason"]
    assert records(app) == [("A", OLD)]


@pytest.mark.parametrize("app", ["5.0.13"], indirect=True)
def test_jets_5_is_not_asked_about_routes_by_the_derived_command(app: App) -> None:
    (app.folder / "routes-changed").touch()
    assert app.deploy("false")[0] == 1
    code, said = app.deploy("false", answer="y\n")
    assert (code, "Continue?" in said) == (0, True)
