"""`--jets`: what is derived from an app's files, and what is said where they do not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import UsageError
from route53_takeover.core.plan.jets.app import derive
from route53_takeover.core.plan.jets.ruby_config import Reads, assignments, reads

if TYPE_CHECKING:
    from route53_takeover.core.plan.jets.app import JetsDeploy
    from route53_takeover.core.plan.model import JetsApp

GOOD = 'ENV["ROUTE53_ENABLE"] == "true"'
LAMBDA = "config.lambda.url.cloudfront.route53.enable"
DEPLOY, BOOTSTRAP, PROJECT = (
    f"config/jets/{each}.rb" for each in ("deploy", "bootstrap", "project")
)
APPLICATION = "config/application.rb"


def lock(version: str) -> str:
    return (
        "GEM\n  remote: https://gems.example.com/\n  specs:\n    jets-api (0.2.2)\n"
        f"    jets ({version})\n      jets-api (>= 0.1)\n\nDEPENDENCIES\n  jets (~> {version})\n"
    )


def block(kind: str, *lines: str) -> str:
    return "\n".join([f"Jets.{kind}.configure do", *(f"  {line}" for line in lines), "end", ""])


def app_6(**files: str) -> dict[str, str]:
    return {
        "Gemfile.lock": lock("6.0.4"),
        PROJECT: block("project", 'config.name = "shop"'),
        BOOTSTRAP: block("bootstrap", 'config.codebuild.project.env.pass = ["ROUTE53_ENABLE"]'),
        DEPLOY: block("deploy", f"{LAMBDA} = {GOOD}"),
        **{name.replace("__", "/") + ".rb": text for name, text in files.items()},
    }


def app_5(version: str = "5.0.13", *lines: str, **files: str) -> dict[str, str]:
    default = ('config.project_name = "shop"', 'config.domain.hosted_zone_name = "example.com"')
    lines = lines or (*default, f"config.domain.route53 = {GOOD}")
    return {
        "Gemfile.lock": lock(version),
        APPLICATION: block("application", *lines),
        **{name.replace("__", "/"): text for name, text in files.items()},
    }


def derived(
    files: dict[str, str], folder: str = "/srv/my_shop", stack: str | None = None, **env: str
) -> JetsDeploy:
    return derive(folder, files.get, env, stack=stack)


def said(app: JetsApp) -> str:
    return " ".join(map(str, (*app.refusals, *app.warnings)))


# -- the stack


@pytest.mark.parametrize(
    ("env", "stack"),
    [
        ({}, "shop-dev"),
        ({"JETS_ENV": "production"}, "shop-production"),
        ({"JETS_ENV": "prod", "JETS_EXTRA": "2"}, "shop-prod-2"),
        ({"JETS_EXTRA": " "}, "shop-dev"),
        ({"JETS_PROJECT": "other_shop"}, "other-shop-dev"),
        ({"JETS_PROJECT": ""}, "shop-dev"),
        ({"JETS_PROJECT_NAME": "other"}, "shop-dev"),
        ({"JETS_ENV_EXTRA": "2"}, "shop-dev"),
    ],
)
def test_jets_6_names_its_stack_by_the_environment_as_it_is_spelled(
    env: dict[str, str], stack: str
) -> None:
    assert derived(app_6(), **env).stack == stack


@pytest.mark.parametrize(
    ("env", "stack"),
    [
        ({}, "shop-dev"),
        ({"JETS_ENV": "production"}, "shop-prod"),
        ({"JETS_ENV": "staging", "JETS_EXTRA": "2"}, "shop-stag-2"),
        ({"JETS_ENV_EXTRA": "3"}, "shop-dev-3"),
        ({"JETS_EXTRA": "2", "JETS_ENV_EXTRA": "3"}, "shop-dev-2"),
        ({"JETS_ENV": "qa", "JETS_PROJECT_NAME": "my_shop"}, "my-shop-qa"),
    ],
)
def test_jets_5_shortens_the_environment(env: dict[str, str], stack: str) -> None:
    assert derived(app_5(), **env).stack == stack


def test_jets_4_reads_its_own_variable_for_another_environment() -> None:
    assert derived(app_5("4.0.10"), JETS_ENV_EXTRA="2").stack == "shop-dev-2"
    with pytest.raises(UsageError, match="Jets 4 reads JETS_ENV_EXTRA"):
        derived(app_5("4.0.10"), JETS_EXTRA="2")


def test_the_name_of_the_project_is_found_where_jets_finds_it() -> None:
    assert (
        derived(
            app_6(config__jets__project__prod=block("project", "config.name = 'web'")),
            JETS_PROJECT="x",
        ).stack
        == "x-dev"
    )
    info = {**app_6(), PROJECT: "", "config/jets/info.yml": "---\nproject_name: kept\n"}
    assert derived(info).stack == "kept-dev"
    assert derived(app_5(config__project_name="filed\n")).stack == "filed-dev"
    unnamed = app_5("5.0.1", f"config.domain.route53 = {GOOD}")
    assert derived(unnamed).stack == "my-shop-dev"


@pytest.mark.parametrize(
    ("files", "env", "why"),
    [
        ({**app_6(), PROJECT: ""}, {}, "does not set config.name"),
        ({**app_6(), PROJECT: 'config.name = ENV["NAME"]'}, {}, "project.rb:1 has `config.name ="),
        ({**app_6(), PROJECT: 'config.name = "a-#{1}"'}, {}, "project.rb:1 has"),
        (app_6(config__jets__project__dev='config.name = "other"'), {}, "has"),
        (app_5("5.0.1", 'config.project_name = ENV["N"] || "shop"'), {}, "application.rb:2 has"),
        (app_5("5.0.1", 'c.project_name = "shop"'), {}, "computes its project name"),
        (app_5("5.0.1", 'config.project_name = "shop"', "config.extra = 2"), {}, "config.extra"),
        (app_5("4.0.1", 'config.project_name = "shop"', "config.env_extra = 2"), {}, "env_extra"),
        (app_5("4.0.1", "config.mode = 'api'"), {}, "sets no config.project_name"),
        (app_5("4.0.1"), {"JETS_PROJECT_NAME": ""}, "is empty"),
    ],
)
def test_a_stack_that_is_not_certain_has_to_be_given(
    files: dict[str, str], env: dict[str, str], why: str
) -> None:
    with pytest.raises(UsageError) as raised:
        derived(files, **env)
    assert why in raised.value.message
    assert "--stack NAME" in raised.value.hint
    assert derived(files, stack="shop-dev", **env).stack == "shop-dev"


EXTRA_BY_ENV = 'ENV["JETS_EXTRA"] '


@pytest.mark.parametrize(
    ("files", "env", "why"),
    [
        ({**app_5(), ".env": "# extra\nJETS_EXTRA=2\n"}, {}, ".env:2 has `JETS_EXTRA=2`"),
        ({**app_5(), ".env.local": "export JETS_PROJECT_NAME='x'"}, {}, ".env.local:1 has"),
        ({**app_5(), ".env.dev.remote": "JETS_EXTRA: 2"}, {"JETS_ENV": "dev"}, "remote:1 has"),
        ({**app_5("4.0.1"), ".env": "JETS_ENV_EXTRA=2"}, {}, ".env:1 has `JETS_ENV_EXTRA=2`"),
        ({**app_5(), ".env.development.2": "JETS_EXTRA=3"}, {"JETS_EXTRA": "2"}, "ent.2:1 has"),
        ({**app_5(), ".env": "JETS_ROOT=/srv/other"}, {}, ".env:1 has `JETS_ROOT=/srv/other`"),
        (app_5(**{"config/environments/development.rb": EXTRA_BY_ENV + "||= '2'"}), {}, "ent.rb:1"),
        (app_5(**{"config/environments/development.rb": EXTRA_BY_ENV + "= '2'"}), {}, "ent.rb:1"),
        ({**app_6(), "config/jets/env/.env": "JETS_EXTRA=2"}, {}, "config/jets/env/.env:1 has"),
        ({**app_6(), "config/jets/env/.env.prod": "JETS_ENV=qa"}, {"JETS_ENV": "prod"}, "prod:1"),
        (app_6(config__jets__deploy__dev=EXTRA_BY_ENV + "= `id -un`"), {}, "deploy/dev.rb:1 has"),
        (app_6(config__jets__bootstrap='  ENV["JETS_PROJECT"] = "x" # now'), {}, '`ENV["JETS_PROJ'),
        (
            app_5(
                "4.0.1",
                'config.project_name = "shop"',
                **{"config/environments/development.rb": 'config.project_name = "other"'},
            ),
            {},
            "config/environments/development.rb:1 has",
        ),
    ],
)
def test_a_variable_that_the_app_sets_later_has_no_certain_stack(
    files: dict[str, str], env: dict[str, str], why: str
) -> None:
    with pytest.raises(UsageError) as raised:
        derived(files, **env)
    assert "is not certain" in raised.value.message
    assert why in raised.value.message
    assert "--stack NAME" in raised.value.hint
    assert derived(files, stack="shop-2", **env).stack == "shop-2"


@pytest.mark.parametrize(
    ("files", "env"),
    [
        ({**app_5(), ".env": "JETS_EXTRA=2"}, {"JETS_EXTRA": "2"}),
        ({**app_5(), ".env": "#JETS_EXTRA=3\nOTHER=JETS_EXTRA=4\nJETS_STAGE=5"}, {}),
        ({**app_5(), ".env": "JETS_ENV='development'\nJETS_ROOT=/srv/my_shop"}, {}),
        ({**app_5(), ".env.production": "JETS_EXTRA=2"}, {}),
        ({**app_6(), ".env": "JETS_EXTRA=2"}, {}),
        (app_6(config__jets__deploy='x if ENV["JETS_EXTRA"] == "2"'), {}),
        (app_6(config__jets__deploy='ENV["JETS_ENV"] ||= "prod"'), {}),
        (app_6(config__jets__deploy='MY_ENV["JETS_EXTRA"] = "2"'), {}),
    ],
)
def test_a_variable_that_stays_as_it_is_names_the_stack(
    files: dict[str, str], env: dict[str, str]
) -> None:
    assert derived(files, **env).stack.startswith("shop-dev")


def test_another_stack_than_the_app_deploys_is_not_watched() -> None:
    arn = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop-dev/1a2b"
    assert derived(app_6(), stack=arn).stack == arn
    with pytest.raises(UsageError, match="that is shop-dev"):
        derived(app_6(), stack="shop-prod")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "is not a Jets app"),
        ({APPLICATION: "Jets.application.configure do\nend\n"}, "does not tell its version"),
        ({"Gemfile.lock": lock("3.2.2"), APPLICATION: ""}, "an app of Jets 3"),
        ({"Gemfile.lock": lock("7.0.0")}, "an app of Jets 7"),
    ],
)
def test_what_is_no_app_of_a_known_version_is_a_usage_error(
    files: dict[str, str], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        derived(files)


@pytest.mark.parametrize("name", ["", "../prod", "a b", "x" * 65])
def test_an_environment_that_names_no_file_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="JETS_ENV"):
        derived(app_6(), JETS_ENV=name)


# -- the deploy command


def test_the_command_holds_all_that_decides_which_stack_is_deployed() -> None:
    made = derived(app_6(), "/srv/my shop", JETS_EXTRA="2", JETS_PROJECT="shop")
    assert made.command == (
        "cd '/srv/my shop' && JETS_ENV=dev JETS_EXTRA=2 JETS_PROJECT=shop "
        "bundle exec jets deploy --yes"
    )
    assert derived(app_5(), JETS_ENV="production").command == (
        "cd /srv/my_shop && JETS_ENV=production JETS_API_AUTO_REPLACE=1 bundle exec jets deploy"
    )


def test_an_app_whose_bundle_does_not_have_jets_calls_it_directly() -> None:
    files = {name: text for name, text in app_6().items() if name != "Gemfile.lock"}
    assert derived(files).command == "cd /srv/my_shop && JETS_ENV=dev jets deploy --yes"
    assert (derived(files).app.program, derived(app_6()).app.program) == ("jets", "bundle")


def test_a_build_may_take_as_long_as_codebuild_gives_it() -> None:
    assert derived(app_6()).timeout == 7200
    longer = app_6(config__jets__bootstrap__dev="config.codebuild.project.timeout_in_minutes = 240")
    assert derived(longer).timeout == 240 * 60 + 1800


# -- the switch


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (GOOD, Reads.SWITCHED),
        ("ENV['ROUTE53_ENABLE'] == 'true' # on or off", Reads.SWITCHED),
        ('(ENV["ROUTE53_ENABLE"].to_s.downcase == "true")', Reads.SWITCHED),
        ('ENV.fetch("ROUTE53_ENABLE", "false") == "true"', Reads.SWITCHED),
        ('"true" == ENV["ROUTE53_ENABLE"]', Reads.SWITCHED),
        ('ENV["ROUTE53_ENABLE"] != "false"', Reads.SWITCHED),
        (f"{GOOD} ? true : false", Reads.SWITCHED),
        (f"true if {GOOD}", Reads.SWITCHED),
        ('ENV["ROUTE53_ENABLE"]', Reads.WRONG),
        ('!!ENV["ROUTE53_ENABLE"]', Reads.WRONG),
        ('ENV["ROUTE53_ENABLE"].present?', Reads.WRONG),
        ('ENV.key?("ROUTE53_ENABLE")', Reads.WRONG),
        ('ENV["ROUTE53_ENABLE"] == "false"', Reads.WRONG),
        ("true", Reads.ON),
        ("false", Reads.OFF),
        ("Jets.env.prod?", Reads.UNSURE),
        (f"{GOOD} && Jets.env.prod?", Reads.UNSURE),
        (f"true unless {GOOD}", Reads.UNSURE),
        ('%w[true yes].include?(ENV["ROUTE53_ENABLE"])', Reads.UNSURE),
    ],
)
def test_what_a_setting_comes_to_for_both_values_of_the_switch(value: str, kind: Reads) -> None:
    assert reads(assignments("f", f"config.x = {value}\n")) is kind


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["config.x = true", f"config.x = {GOOD}"], Reads.SWITCHED),
        ([f"config.x = {GOOD}", "config.x = true"], Reads.ON),
        (["config.x = false", f"if {GOOD}", "config.x = true", "end"], Reads.SWITCHED),
        (["config.x = true", f"if {GOOD}", "config.x = true", "end"], Reads.UNSURE),
        ([f"if {GOOD}", "config.y = 1", "else", "config.x = true", "end"], Reads.UNSURE),
        (["case Jets.env", 'when "prod"', f"config.x = {GOOD}", "end"], Reads.UNSURE),
        ([f"config.x ||= {GOOD}"], Reads.UNSURE),
        ([f"if {GOOD}", "if a", "config.x = true", "end", "end"], Reads.UNSURE),
        (["if a", "[1].each do |b|", "end", f"config.x = {GOOD}", "end"], Reads.UNSURE),
        (["=begin", "config.x = true", "=end"], None),
        (["# config.x = true", "__END__", "config.x = true"], None),
        (["config.x =~ /a/", "config.x == true"], None),
        (["config.y = [", "config.x = true", "]"], None),
        (["[1].each do |a|", "if a", "b", "end", "end", f"config.x = {GOOD}"], Reads.SWITCHED),
    ],
)
def test_only_what_is_understood_counts(lines: list[str], kind: Reads | None) -> None:
    found = [a for a in assignments("f", "\n".join(lines)) if a.key == "x"]
    assert reads(found) is kind


def test_an_app_that_follows_the_switch_is_neither_refused_nor_warned_of() -> None:
    assert said(derived(app_6()).app) == ""
    assert said(derived(app_5()).app) == ""


def test_all_that_is_missing_is_reported_at_once() -> None:
    bare = {"Gemfile.lock": lock("6.0.4"), PROJECT: app_6()[PROJECT]}
    setting, passing = derived(bare).app.refusals
    assert f"Add this line to {DEPLOY}: {LAMBDA} = {GOOD}" in setting.hint
    assert passing.hint == (
        f"Create {BOOTSTRAP} with: Jets.bootstrap.configure "
        '{ config.codebuild.project.env.pass = ["ROUTE53_ENABLE"] }'
    )


def test_a_setting_that_no_file_has_is_reported_with_the_line_to_add() -> None:
    app = derived({**app_6(), DEPLOY: block("deploy", "config.package_type = 'zip'")}).app
    assert f"Add this line to {DEPLOY}: {LAMBDA} = {GOOD}" in said(app)
    app = derived(app_5("5.0.1", 'config.domain.hosted_zone_name = "example.com"')).app
    assert f"Add this line to {APPLICATION}: config.domain.route53 = {GOOD}" in said(app)
    assert "on in both deploys" in said(app)


@pytest.mark.parametrize(
    "tree", ["lambda.url.cloudfront", "assets.cloudfront", "uploads.cloudfront"]
)
@pytest.mark.parametrize("value", ["true", "false", 'ENV["ROUTE53_ENABLE"]'])
def test_a_line_that_does_not_follow_the_switch_is_reported_with_its_replacement(
    tree: str, value: str
) -> None:
    setting = f"config.{tree}.route53.enable"
    app = derived({**app_6(), DEPLOY: block("deploy", f"{setting} = {value}")}).app
    (refusal,) = app.refusals
    assert f"`{setting} = {value}` ({DEPLOY}:2)" in refusal.text
    assert refusal.hint == f"Replace that line by: {setting} = {GOOD}"


def test_the_line_that_means_to_follow_the_switch_is_the_one_to_replace() -> None:
    meant = 'config.uploads.cloudfront.route53.enable = ENV["ROUTE53_ENABLE"]'
    app = derived({**app_6(), DEPLOY: block("deploy", f"{LAMBDA} = true", meant)}).app
    (refusal,) = app.refusals
    assert f"`{meant}` ({DEPLOY}:3) does not follow it" in refusal.text


def test_the_file_of_the_environment_has_the_last_word() -> None:
    files = app_6(config__jets__deploy__prod=block("deploy", f"{LAMBDA} = true"))
    assert said(derived(files).app) == ""
    assert "config/jets/deploy/prod.rb:2" in said(derived(files, JETS_ENV="prod").app)
    older = app_5(config__environments__development__rb="config.domain.route53 = true")
    older["config/environments/development.rb"] = older.pop("config/environments/development/rb")
    assert "config/environments/development.rb:1" in said(derived(older).app)


def test_what_is_computed_is_warned_of_and_not_refused() -> None:
    lines = (f"on = {GOOD}", f"{LAMBDA} = on")
    app = derived({**app_6(), DEPLOY: block("deploy", *lines)}).app
    assert not app.refusals
    assert f"{DEPLOY}:2 is not understood" in said(app)


def test_a_tree_that_is_always_on_beside_one_that_is_switched_is_warned_of() -> None:
    always = "config.assets.cloudfront.route53.enable = true"
    app = derived({**app_6(), DEPLOY: block("deploy", f"{LAMBDA} = {GOOD}", always)}).app
    assert not app.refusals
    assert f"`{always}` ({DEPLOY}:3) is on in both deploys" in said(app)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ('config.codebuild.project.env.pass = ["OTHER"]',),
        ("config.codebuild.project.env.pass = %w[OTHER]",),
        ('# config.codebuild.project.env.pass = ["ROUTE53_ENABLE"]',),
    ],
)
def test_a_switch_that_codebuild_does_not_get_is_refused(lines: tuple[str, ...]) -> None:
    app = derived({**app_6(), BOOTSTRAP: block("bootstrap", *lines)}).app
    (refusal,) = app.refusals
    assert "ROUTE53_ENABLE is not passed on to it" in refusal.text
    assert "ROUTE53_ENABLE" in refusal.hint
    assert BOOTSTRAP in refusal.hint


@pytest.mark.parametrize(
    ("lines", "is_warned_of"),
    [
        (("config.codebuild.project.env.pass = %w[A ROUTE53_ENABLE]",), False),
        (("config.codebuild.project.env.pass += ['ROUTE53_ENABLE']",), False),
        (("config.codebuild.project.env.pass = [", '"ROUTE53_ENABLE",', "]"), False),
        (
            ("config.codebuild.project.env.vars = {", 'ROUTE53_ENABLE: ENV["ROUTE53_ENABLE"]', "}"),
            False,
        ),
        (("config.codebuild.project.env.pass = [/^ROUTE53/]",), True),
        (("config.codebuild.project.env.pass = names",), True),
        (('names = ["ROUTE53_ENABLE"]', "config.codebuild.project.env.pass.concat(names)"), True),
    ],
)
def test_a_switch_that_codebuild_gets_is_not_refused(
    lines: tuple[str, ...], is_warned_of: bool
) -> None:
    app = derived({**app_6(), BOOTSTRAP: block("bootstrap", *lines)}).app
    assert not app.refusals
    assert bool(app.warnings) is is_warned_of


def test_jets_5_may_switch_the_custom_domain_instead() -> None:
    zone = f'config.domain.hosted_zone_name = "example.com" if {GOOD}'
    app = derived(app_5("5.0.1", 'config.project_name = "shop"', zone)).app
    assert (app.refusals, app.domain_is_switched) == ((), True)
    app = derived(app_5("5.0.1", zone, "config.domain.route53 = false")).app
    assert app.refusals


def test_jets_5_without_a_hosted_zone_is_warned_of() -> None:
    app = derived(app_5("5.0.1", f"config.domain.route53 = {GOOD}")).app
    assert "without one Jets creates no record" in said(app)
