"""How the simulated API Gateway says no: AWS's code, message and HTTP status."""

from __future__ import annotations


class ApiGatewayError(Exception):
    """API Gateway's refusal, with AWS's code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def bad_request(message: str) -> ApiGatewayError:
    """The request makes no sense."""
    return ApiGatewayError("BadRequestException", message)


def not_found(message: str) -> ApiGatewayError:
    """What it names is not there."""
    return ApiGatewayError("NotFoundException", message, 404)


def conflict(message: str) -> ApiGatewayError:
    """What it would make is there already."""
    return ApiGatewayError("ConflictException", message, 409)
