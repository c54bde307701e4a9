"""`--jets DIR` stands for the options that its app and the environment say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from route53_takeover.adapters.jets_folder import reader
from route53_takeover.base.errors import RefusedError, TakeoverError, UsageError
from route53_takeover.cli.jets import refuse_changed
from route53_takeover.cli.switch_options import SiteSwitch
from route53_takeover.cli.takeover_options import Takeover
from route53_takeover.core.plan.model import Options

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Jets 6 app, in an environment that says nothing of Jets."""
    for name in list(os.environ):
        if name.startswith("JETS_"):
            monkeypatch.delenv(name)
    files = {
        "Gemfile.lock": "    jets (6.0.4)\n",
        "config/jets/project.rb": 'config.name = "shop"\n',
        "config/jets/bootstrap.rb": "config.codebuild.project.timeout_in_minutes = 180\n",
        "config/jets/deploy.rb": "",
    }
    folder = tmp_path / "app"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def options(app: Path, **given: Any) -> Options:
    return Takeover(record=["www.example.com"], jets=app, **given).options()


def test_stack_command_and_durations_come_from_the_app(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETS_ENV", "prod")
    monkeypatch.chdir(app.parent)
    found = options(app.relative_to(app.parent))
    command = f"cd {app} && JETS_ENV=prod bundle exec jets deploy --yes"
    assert (found.stack, found.deploy_off, found.deploy_on) == ("shop-prod", command, command)
    assert (found.settle, found.deploy_timeout) == (300, 180 * 60 + 1800)
    assert found.jets is not None
    assert (found.jets.folder, found.jets.major, found.jets.program) == (str(app), 6, "bundle")
    assert found.jets.refusals


def test_what_is_given_goes_before_what_is_derived(app: Path) -> None:
    found = options(app, stack="shop-dev", settle=7.0, deploy_timeout=60.0, skip_off=True)
    assert (found.stack, found.settle, found.deploy_timeout) == ("shop-dev", 7, 60)
    assert found.deploy_off is None
    assert found.deploy_on is not None


def test_a_plan_keeps_what_it_knows_of_the_app(app: Path) -> None:
    found = options(app)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Options) == found


@pytest.mark.parametrize(
    "given", [{"deploy": "x"}, {"deploy_on": "x"}, {"deploy_off": "x"}, {"no_deploy": True}]
)
def test_another_way_to_deploy_contradicts_it(app: Path, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--jets stands for the deploy command"):
        options(app, **given)


def test_nothing_but_files_of_a_sensible_size_is_read(app: Path, tmp_path: Path) -> None:
    read = reader(app)
    os.mkfifo(app / "config/project_name")
    assert read("config/project_name") is None
    assert read("config/application.rb") is None
    (app / "config/jets/deploy.rb").write_bytes(b"\xff" * 100_001)
    with pytest.raises(UsageError, match="longer than 100000 bytes"):
        read("config/jets/deploy.rb")
    with pytest.raises(UsageError, match="there is no folder"):
        reader(tmp_path / "nowhere")


def test_a_saved_plan_is_refused_if_the_app_has_changed_since(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = options(app)
    assert planned.jets is not None
    refuse_changed(planned, planned.jets)
    lock = (app / "Gemfile.lock").read_text()
    (app / "Gemfile.lock").write_text("")
    with pytest.raises(RefusedError, match="changed since the plan: the Jets app"):
        refuse_changed(planned, planned.jets)
    (app / "Gemfile.lock").write_text(lock)
    monkeypatch.setenv("JETS_EXTRA", "two")
    with pytest.raises(TakeoverError, match="is not what the Jets app"):
        refuse_changed(planned, planned.jets)


def test_another_root_of_jets_than_the_folder_is_a_usage_error(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = options(app)
    assert planned.jets is not None
    for same in (".", str(app), f"../{app.name}/", ""):
        monkeypatch.setenv("JETS_ROOT", same)
        assert options(app).stack == "shop-dev"
    monkeypatch.setenv("JETS_ROOT", str(tmp_path))
    with pytest.raises(UsageError, match="Jets would read the app there"):
        options(app, stack="shop-dev")
    with pytest.raises(UsageError, match="JETS_ROOT"):
        refuse_changed(planned, planned.jets)


@pytest.mark.parametrize(("major", "name"), [(6, "JETS_EXTRA"), (4, "JETS_ENV_EXTRA")])
def test_a_second_environment_is_deployed_beside_the_first(
    app: Path, monkeypatch: pytest.MonkeyPatch, major: int, name: str
) -> None:
    monkeypatch.setenv("JETS_EXTRA", "1")  # of the shell: blue's
    (app / "Gemfile.lock").write_text(f"    jets ({major}.0.4)\n")
    (app / "config/application.rb").write_text('config.project_name = "shop"\n')
    found = SiteSwitch(domain="www.example.com", jets=app, extra="2").options()
    assert found.to_stack == "shop-dev-2"
    assert found.deploy is not None
    assert f"{name}=2" in found.deploy
    assert found.checks == ("https://www.example.com/",)
    assert found.extra == "2"


def test_a_second_environment_needs_a_name_and_contradicts_another_green(app: Path) -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "--extra"),
        ({"extra": "2", "to_stack": "x"}, "contradicts"),
        ({"extra": "2", "deploy": "x"}, "contradicts"),
    )
    for given, words in cases:
        with pytest.raises(UsageError, match=words):
            SiteSwitch(domain="www.example.com", jets=app, **given).options()
