"""Turns the exceptions of botocore, aiobotocore and their transports into our error tree, once.

What decides is what a failed *write* has done. `EndpointError` and the errors that AWS answered
with say that nothing was applied, so they are only used where that is certain. Everything in doubt
is an `UnansweredError`.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import aiohttp
import urllib3.exceptions
from botocore import exceptions as boto

from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

CHANGE = "route53:ChangeResourceRecordSets"
_API_GATEWAY_CHANGES = frozenset(
    {
        "apigateway:CreateBasePathMapping",
        "apigateway:UpdateBasePathMapping",
        "apigatewayv2:CreateApiMapping",
        "apigatewayv2:CreateRoutingRule",
        "apigatewayv2:DeleteRoutingRule",
        "apigatewayv2:UpdateApiMapping",
    }
)
_CLOUDFRONT_CHANGES = frozenset({"cloudfront:CreateInvalidation", "cloudfront:UpdateDistribution"})
_CHANGES = frozenset({CHANGE}) | _API_GATEWAY_CHANGES | _CLOUDFRONT_CHANGES
"""The calls that are refused whole or applied whole: `RejectedChangeError` says the former."""
LOGIN_HINT = "set AWS_PROFILE or --profile to a working profile"
_NETWORK_HINT = "check the network, --region and --endpoint-url"
REGION_HINT = "set one with --region, AWS_REGION or in the profile"

_SERVER_ERROR = 500
_CLIENT_ERROR = 400

_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyInvalidationsInProgress",
        "TooManyRequestsException",
    }
)
_METHODS = {"Create": "POST", "Update": "PATCH", "Put": "PUT", "Delete": "DELETE"}
_CONCURRENT = "concurrent modification"
"""How API Gateway says that it is busy with another request: it has the code of any conflict."""
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "NotAuthorized",
        "OptInRequired",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    }
)
_INVALID_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnauthorizedException",
        "UnrecognizedClient",
        "UnrecognizedClientException",
    }
)
_NOT_FOUND = frozenset(
    {
        "ChangeSetNotFound",
        "ExecutionDoesNotExist",
        "NoSuchChange",
        "NoSuchDistribution",
        "NoSuchHostedZone",
        "NoSuchInvalidation",
        "NotFoundException",
        "StackNotFoundException",
        "StateMachineDoesNotExist",
    }
)
_NO_SUCH_POLICY = frozenset(
    {"NoSuchCachePolicy", "NoSuchOriginRequestPolicy", "NoSuchResponseHeadersPolicy"}
)
"""Not found by a read; in the answer to an update, what is wrong with its config."""
_NO_CREDENTIALS = (
    boto.CredentialRetrievalError,
    boto.InvalidConfigError,
    boto.LoginError,
    boto.MetadataRetrievalError,
    boto.NoAuthTokenError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.RefreshWithMFAUnsupportedError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.UnknownCredentialError,
)
_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,  # DNS, refused, unreachable, the TLS handshake, the proxy
    aiohttp.ClientHttpProxyError,  # the proxy would not connect us
    socket.gaierror,
    urllib3.exceptions.NewConnectionError,
)


def translate(error: Exception, operation: str, *, login_hint: str = LOGIN_HINT) -> ApiError:
    """The error of our tree that ``error`` means.

    Args:
        error: what botocore, aiobotocore or the transport raised.
        operation: what was being called: ``service:Operation``.
        login_hint: what to do about credentials, for this profile.

    Returns:
        The error to raise ``from`` it, with a one-line message and a hint.
    """
    if isinstance(error, ApiError):
        return error
    if isinstance(error, boto.ClientError):
        return _answered(error, operation, login_hint)
    message = _one_line(str(error)) or type(error).__name__
    if isinstance(error, _NO_CREDENTIALS):
        return CredentialsError(message, operation=operation, hint=login_hint)
    if isinstance(error, boto.NoRegionError):
        return ApiError(message, operation=operation, hint=REGION_HINT)
    if isinstance(error, boto.ParamValidationError):
        kind = RejectedChangeError if operation in _CHANGES else ApiError
        return kind(message, code="ParamValidation", operation=operation)
    if _nothing_was_sent(error):
        return EndpointError(
            message,
            operation=operation,
            hint=_NETWORK_HINT,
        )
    return UnansweredError(
        f"no answer to {operation}: {message}", operation=operation, hint=_NETWORK_HINT
    )


def _nothing_was_sent(error: Exception) -> bool:
    """Whether the connection was never made, so that not a byte of the request has left.

    aiobotocore says `EndpointConnectionError` also of a connection that was reset later on: what
    lies below it decides.
    """
    if isinstance(error, boto.ConnectTimeoutError | boto.ProxyConnectionError):
        return True
    if isinstance(error, boto.EndpointConnectionError | boto.SSLError):
        return isinstance(error.kwargs.get("error"), _NEVER_CONNECTED)
    return isinstance(error, _NEVER_CONNECTED)


def _answered(error: boto.ClientError, operation: str, login_hint: str) -> ApiError:
    body: Mapping[str, Any] = error.response
    details = body.get("Error", {})
    code = str(details.get("Code", ""))
    if not code and "Messages" in body:
        code = "InvalidChangeBatch"  # its older form, which botocore cannot name
    message = _one_line(str(details.get("Message", ""))) or _messages(body) or code
    status = int(body.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))

    def named(kind: type[ApiError], hint: str = "") -> ApiError:
        return kind(message, code=code, operation=operation, hint=hint)

    if error.operation_name != operation.partition(":")[2]:
        # The call behind the credentials (AssumeRole, GetRoleCredentials): ours was never sent.
        return named(ThrottledError if code in _THROTTLED else CredentialsError, login_hint)
    if status >= _SERVER_ERROR:
        return named(UnansweredError)
    if code in _THROTTLED or (code == "ConflictException" and _CONCURRENT in message):
        return named(ThrottledError)
    if code in _INVALID_CREDENTIALS:
        return named(CredentialsError, _credentials_hint(code, message, login_hint))
    if code in _DENIED:
        action = _iam_action(operation)
        return named(
            AccessDeniedError, f"allow {action} for these credentials, or use another --profile"
        )
    if _is_absent(code, message, operation):
        return named(NotFoundError)
    if not _is_a_refusal(code, status):
        return named(UnansweredError)
    return named(RejectedChangeError if operation in _CHANGES else ApiError)


def _iam_action(operation: str) -> str:
    """What a policy calls the permission: for API Gateway the method of the request."""
    service, _, name = operation.partition(":")
    if not service.startswith("apigateway"):
        return operation
    method = next((verb for prefix, verb in _METHODS.items() if name.startswith(prefix)), "GET")
    return f"apigateway:{method}"


def _is_absent(code: str, message: str, operation: str) -> bool:
    if code in _NO_SUCH_POLICY:
        return operation not in _CHANGES
    return code in _NOT_FOUND or (code == "ValidationError" and "does not exist" in message)


def _is_a_refusal(code: str, status: int) -> bool:
    """Whether AWS itself looked at the request and said no.

    A number for a code means that the body was not AWS's: something between us and AWS spoke.
    """
    return (
        status >= _CLIENT_ERROR and code != "RequestTimeout" and not code.isdecimal() and code != ""
    )


def _credentials_hint(code: str, message: str, login_hint: str) -> str:
    skewed = code in ("RequestTimeTooSkewed", "RequestExpired") or any(
        words in message for words in ("Signature expired", "Signature not yet current")
    )
    return "set this machine's clock: it differs from AWS's" if skewed else login_hint


def _messages(body: Mapping[str, Any]) -> str:
    """The message of an ``InvalidChangeBatch`` in its older form; botocore loses several."""
    only = body["Messages"].get("Message") if isinstance(body.get("Messages"), dict) else None
    return _one_line(only) if isinstance(only, str) else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
