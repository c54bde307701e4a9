"""The plan of a Jets app: what its files lack is refused, and the case that Jets leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.plan.test_model import facts, options, record

from route53_takeover.core.plan.model import Finding, JetsApp
from route53_takeover.core.plan.planner import make_plan

OLD = record("api.example.com.", "CNAME", "old.example.net", ttl=60)


def texts(findings: tuple[Finding, ...]) -> str:
    return " ".join(map(str, findings))


def planned(major: int = 5, **more: Any) -> tuple[str, str]:
    """The refusals and the warnings for api.example.com."""
    manual = more.pop("manual", OLD)
    chosen = {key: more.pop(key) for key in ("deploy_off",) if key in more}
    app = JetsApp(folder="/app", major=major, **more.pop("app", {}))
    world = facts(zone_records=(*facts().zone_records, manual), **more)
    made = make_plan(world, options("api.example.com/CNAME", jets=app, **chosen))
    return texts(made.refusals), texts(made.warnings)


def test_what_the_app_lacks_is_refused_with_the_line_to_add() -> None:
    lacking = {"refusals": (Finding(text="it does not.", hint="Add this."),)}
    refused, _ = planned(6, app=lacking)
    assert refused == "it does not. Add this."
    _, warned = planned(6, app={"warnings": (Finding(text="Perhaps."),)})
    assert "Perhaps." in warned


@pytest.mark.parametrize("major", [4, 5])
def test_a_record_that_jets_leaves_out_because_of_its_domain_is_refused(major: int) -> None:
    refused, _ = planned(major, custom_domains=("API.example.com",), deploy_off=None)
    assert "custom domain api.example.com and the app's stack has no record set for it" in refused
    assert f"Jets {major} then leaves the record out" in refused
    assert "app/shared/resources" in refused
    assert planned(6, custom_domains=("api.example.com",))[0] == ""
    assert planned(major, custom_domains=("www.example.com",), deploy_off=None)[0] == ""


def test_a_first_deploy_that_would_create_the_domain_is_refused() -> None:
    refused, _ = planned(5)
    assert "the deploy with the switch off would create the API Gateway custom domain" in refused
    assert "--skip-off" in refused
    assert planned(5, deploy_off=None)[0] == ""
    assert planned(5, app={"domain_is_switched": True})[0] == ""
    assert planned(6)[0] == ""


def test_a_custom_domain_of_another_stack_is_refused() -> None:
    elsewhere = {"API.example.com": "shop-domain"}
    refused, warned = planned(5, custom_domains_elsewhere=elsewhere, deploy_off=None)
    assert "stack shop-domain has the API Gateway custom domain api.example.com" in refused
    assert "app/shared/resources" in refused
    assert "API Gateway is not asked" not in warned
    assert planned(6, custom_domains_elsewhere=elsewhere)[0] == ""
    elsewhere = {"www.example.com": "shop-domain"}
    assert planned(5, custom_domains_elsewhere=elsewhere, deploy_off=None)[0] == ""


def test_a_custom_domain_that_no_stack_has_is_warned_of() -> None:
    _, warned = planned(5, deploy_off=None)
    assert "API Gateway is not asked whether a custom domain api.example.com exists" in warned
    assert "`aws apigateway get-domain-name --domain-name api.example.com`" in warned
    assert "app/shared/resources" in warned
    assert "API Gateway" not in planned(6)[1]


def test_a_derived_command_whose_program_is_not_there_is_refused() -> None:
    command = "cd /app && JETS_ENV=dev bundle exec jets deploy --yes"
    world = facts(missing_programs=("bundle",), cwd="/home")
    app = JetsApp(folder="/app", major=6, program="bundle")
    made = make_plan(world, options(deploy_off=command, deploy_on=command, jets=app))
    assert f"`{command}` cannot be run: program bundle not found on PATH" in texts(made.refusals)
