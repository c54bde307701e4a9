"""Whole switches against emulators that nobody here wrote: moto for v1, MiniStack for the rest.

Neither serves the sites themselves: there is nothing to check, so a switch settles by time alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import Program
from tests.distributions import config, origin
from tests.e2e.test_api_gateway_emulators import DOMAIN, REGION, client, moto_url, rest_api

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Ended
    from tests.e2e.ministack import Account

__all__ = ["moto_url"]
ALIAS = "front.example.com"
BLUE, GREEN = (f"{side}.execute-api.us-east-1.amazonaws.com" for side in ("blue1", "green1"))


class Switcher:
    """The program in a process of its own, against one endpoint."""

    def __init__(self, home: Path, url: str, key: str) -> None:
        home.mkdir(exist_ok=True)
        self.program = Program(home)
        self.program.env |= {"AWS_ACCESS_KEY_ID": key, "AWS_REGION": REGION}
        del self.program.env["AWS_SESSION_TOKEN"]
        self._url = url

    def __call__(self, *words: str) -> Ended:
        line = (*words, "--endpoint-url", self._url, "--output", "json")
        return self.program.end_of(self.program.start(*line), 90.0)

    def there_and_back(self, *target: str) -> None:
        """Switches to green, and leads back afterwards."""
        ended = self("switch", *target, "--auto", "--bake", "0s")
        assert ended.code == 0, (ended.out, ended.err)
        (switch,) = ended.result["switches"]
        assert switch["outcome"] == "switched"
        self.seen = ended
        back = self("restore", ended.result["run"])
        assert back.code == 0, (back.out, back.err)


def test_a_domain_is_switched_and_led_back_on_moto(
    moto_url: str,
    tmp_path: Path,
) -> None:
    domain = f"whole.{DOMAIN}"
    with client("apigateway", moto_url, "testing") as apis:
        blue, green = rest_api(apis, "blue", "dev"), rest_api(apis, "green", "dev_2")
        apis.create_domain_name(domainName=domain, endpointConfiguration={"types": ["EDGE"]})
        apis.create_base_path_mapping(
            domainName=domain, basePath="(none)", restApiId=blue.api_id, stage=blue.stage
        )
        switcher = Switcher(tmp_path, moto_url, "testing")
        switcher.there_and_back("--domain", domain, "--to", str(green))
        calls = switcher.seen.result["api_calls"]
        assert calls["apigateway:UpdateBasePathMapping"] == 1
        (found,) = apis.get_base_path_mappings(domainName=domain)["items"]
        assert (found["restApiId"], found["stage"]) == (blue.api_id, blue.stage)


def test_a_domain_and_a_distribution_are_switched_and_led_back_on_ministack(
    account: Account, tmp_path: Path
) -> None:
    url, key = account.endpoint_url, account.number
    with (
        client("apigatewayv2", url, key) as apis,
        client("cloudfront", url, key) as distributions,
        ThreadPoolExecutor() as pool,
    ):
        made = [apis.create_api(Name=name, ProtocolType="HTTP") for name in ("blue", "green")]
        blue, green = (api["ApiId"] for api in made)
        for api in (blue, green):
            apis.create_stage(ApiId=api, StageName="$default")
            made_of = apis.create_deployment(ApiId=api)["DeploymentId"]
            apis.update_stage(ApiId=api, StageName="$default", DeploymentId=made_of)
        configuration = {"EndpointType": "REGIONAL", "CertificateArn": "arn:aws:acm:::c/1"}
        apis.create_domain_name(DomainName=DOMAIN, DomainNameConfigurations=[configuration])
        apis.create_api_mapping(DomainName=DOMAIN, ApiId=blue, Stage="$default", ApiMappingKey="")
        front: dict[str, Any] = config(origin(BLUE), Aliases={"Quantity": 1, "Items": [ALIAS]})
        front_id = distributions.create_distribution(DistributionConfig=front)["Distribution"]["Id"]
        works = [
            pool.submit(
                Switcher(tmp_path / "domain", url, key).there_and_back,
                *("--domain", DOMAIN, "--to", f"{green}/$default"),
            ),
            pool.submit(
                Switcher(tmp_path / "front", url, key).there_and_back,
                *("--distribution", ALIAS, "--to", f"{GREEN}/prod"),
            ),
        ]
        for work in works:
            work.result()
        (mapping,) = apis.get_api_mappings(DomainName=DOMAIN)["Items"]
        assert mapping["ApiId"] == blue
        after = distributions.get_distribution(Id=front_id)["Distribution"]["DistributionConfig"]
        assert [each["DomainName"] for each in after["Origins"]["Items"]] == [BLUE]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
