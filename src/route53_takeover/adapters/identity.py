"""The identity and lifetime of the credentials: one synchronous call before a run.

It may ask for an MFA code on the terminal, as the AWS command line does: call it before the screen
is built, and ask `needs_mfa` first where no user is there to answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from msgspec import Struct

import route53_takeover
from route53_takeover.adapters import profiles
from route53_takeover.adapters.endpoint import proxies
from route53_takeover.adapters.error_mapping import REGION_HINT, translate
from route53_takeover.base.errors import UsageError
from route53_takeover.base.redaction import remember_signature

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.awsrequest import AWSPreparedRequest
    from botocore.credentials import Credentials
    from types_boto3_sts.client import STSClient

_READ_FROM_VARIABLES = "env"


class CallerIdentity(Struct, frozen=True, kw_only=True):
    """Who we are to AWS.

    Attributes:
        account: the account's number.
        arn: the user's or the role session's ARN.
        expires: when the credentials end, seconds since the epoch; ``None`` where they do not or
            where they do not tell.
        renewable: whether they last or the SDK gets new ones by itself.
        needs_mfa: whether getting them needs an MFA code.
        region: the region in use.
    """

    account: str
    arn: str
    expires: float | None
    renewable: bool
    needs_mfa: bool
    region: str


def needs_mfa(profile: str | None) -> bool:
    """Whether `identify` would ask for an MFA code; looks at the configuration only."""
    return profiles.needs_mfa(botocore.session.Session(profile=profile), profile)


def identify(profile: str | None, region: str | None, endpoint_url: str | None) -> CallerIdentity:
    """Asks STS who we are.

    Raises:
        CredentialsError: there are none, or they are expired or invalid.
        UsageError: no region is set.
        ApiError: any other way in which the call can end.
    """
    session = botocore.session.Session(profile=profile)
    hint = profiles.login_hint(session, profile)
    try:
        region = profiles.chosen_region(region) or session.get_config_variable("region")
    except Exception as error:
        raise translate(error, "aws:Credentials", login_hint=hint) from error
    if not region:  # STS would do without; what comes after it does not
        raise UsageError("no AWS region is set", REGION_HINT)
    try:
        made = session.create_client(
            "sts",
            region_name=region,
            endpoint_url=endpoint_url,
            config=_CONFIG.merge(Config(proxies=proxies(endpoint_url))),
        )
        client = cast("STSClient", made)
        client.meta.events.register("before-send", _sent)
        try:
            answer = client.get_caller_identity()
        finally:
            client.close()
        credentials = session.get_credentials()
    except ValueError as error:
        raise UsageError(str(error), "check --endpoint-url and --region") from error
    except Exception as error:
        raise translate(error, "sts:GetCallerIdentity", login_hint=hint) from error
    return CallerIdentity(
        account=answer["Account"],
        arn=answer["Arn"],
        expires=_expires(credentials),
        renewable=_renewable(credentials),
        needs_mfa=profiles.needs_mfa(session, profile),
        region=client.meta.region_name,
    )


_CONFIG = Config(
    connect_timeout=5,
    read_timeout=5,  # the user waits: STS answers at once or not at all
    retries={"mode": "standard", "total_max_attempts": 2},
    user_agent_extra=f"route53-takeover/{route53_takeover.__version__}",
)


def _sent(request: AWSPreparedRequest, **_: object) -> None:
    remember_signature(request.headers)


def _expires(credentials: Credentials | None) -> float | None:
    """When they end; it is the SDK's own secret."""
    end: datetime | None = getattr(credentials, "_expiry_time", None)
    return None if end is None else end.timestamp()


def _renewable(credentials: Credentials | None) -> bool:
    if isinstance(credentials, RefreshableCredentials):
        # A refresh of those in variables reads the same ones again.
        return str(credentials.method) != _READ_FROM_VARIABLES
    # The token of a session ends; a user's key does not.
    return credentials is not None and credentials.token is None
