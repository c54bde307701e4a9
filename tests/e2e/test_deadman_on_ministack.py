"""The deadman in AWS on an emulator of other people's, whose Step Functions calls its Route 53."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.installed import NotInstallableError
from tests.e2e.ministack import running, wait_until
from tests.e2e.processes import NO_SERVER
from tests.e2e.test_run_on_ministack import Site, assert_done, by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.ministack import Account, Ministack
    from tests.e2e.processes import Takeover

SCALE = 0.04
"""Real seconds in one that Step Functions waits."""


@pytest.fixture
def site(account: Account, takeover: Takeover) -> Site:
    return Site(account, takeover, by_hand())


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """A server on which Step Functions waits only a part of the time."""
    folder = tmp_path_factory.mktemp("hurried")
    try:
        with running(folder, wait_scale=SCALE) as server:
            yield server
    except NotInstallableError as error:
        pytest.skip(f"MiniStack cannot be installed here: {error}")


@pytest.fixture
def hurried_site(
    hurried: Ministack, takeover: Takeover, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    with hurried.account() as fresh:
        for name, value in fresh.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", NO_SERVER)
        yield Site(fresh, takeover, by_hand())


def role_of(site: Site, deploy: str) -> str:
    """Deploys what ``policy --cloud-deadman`` prints, as its page says; the role's ARN."""
    options = [
        word for word in site.arguments(deploy) if word not in ("--auto", "--output", "json")
    ]
    printed = site.takeover.run("policy", "--cloud-deadman", *options)
    assert printed.code == 0, printed.stderr
    site.account.cloudformation.create_stack(
        StackName="deadman", TemplateBody=printed.stdout, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    site.account.wait_for_status("deadman", "CREATE_COMPLETE")
    (stack,) = site.account.cloudformation.describe_stacks(StackName="deadman")["Stacks"]
    (output,) = stack["Outputs"]
    return output["OutputValue"]


def executions(site: Site, role: str) -> list[Any]:
    arn = role.replace(":iam::", ":states:us-east-1:").replace(":role/", ":stateMachine:")
    found: list[Any] = site.account.step_functions.list_executions(stateMachineArn=arn)[
        "executions"
    ]
    return found


def test_a_run_starts_it_before_the_release_and_stops_it_at_the_end(site: Site) -> None:
    deploy = site.deploy(Site=site.record())
    role = role_of(site, deploy)
    done = site.run(deploy, "--cloud-deadman", role)
    assert_done(done, site)
    assert [each["status"] for each in executions(site, role)] == ["ABORTED"]
    assert done.result["api_calls"]["states:StartExecution"] == 1


def test_a_role_that_step_functions_cannot_use_deletes_nothing(site: Site) -> None:
    deploy = site.deploy(Site=site.record())
    role = role_of(site, deploy)
    done = site.run(deploy, "--cloud-deadman", role + "-other")
    assert (done.code, done.result["outcome"]) == (1, "failed")
    assert "-other not found" in done.result["reason"]
    assert site.here == [site.original]


def test_the_record_comes_back_though_the_run_is_never_resumed(hurried_site: Site) -> None:
    site = hurried_site
    deploy = site.deploy(Site=site.record(gap=600, delays="600"))
    role = role_of(site, deploy)
    # The execution waits 120 s, which are 5 s here.
    site.start_to_the_gap(deploy, "--cloud-deadman", role, "--restore-after", "30s").kill()
    wait_until(lambda: site.here, "the deadman in AWS restores the record", seconds=30)
    assert site.here == [site.original]
    (execution,) = executions(site, role)
    wait_until(
        lambda: executions(site, role)[0]["status"] == "SUCCEEDED", "its execution ends", seconds=10
    )
    described = site.account.step_functions.describe_execution(
        executionArn=execution["executionArn"]
    )
    assert json.loads(described["input"])["record"]["Name"] == "www.example.com."
