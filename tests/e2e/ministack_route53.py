"""Part of the exchanged MiniStack: Route 53's rules, and CloudFormation's retry window.

Owns what may stand in a zone, whichever writer changes it, and how a stack creates and deletes its
``AWS::Route53::RecordSet``. It must never know of a takeover: it is the world of the tests.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from tests.e2e.ministack_events import RECORD_SET, RECORD_SET_GROUP, pause

if TYPE_CHECKING:
    from tests.e2e.ministack_events import Events

provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
stacks: Any = import_module("ministack.services.cloudformation.stacks")
route53: Any = import_module("ministack.services.route53")

RETRY_DELAYS = os.environ.get("RETRY_DELAYS", "1,2,4,8,15,30")
PROPAGATION = float(os.environ.get("PROPAGATION", "0.2"))


class Route53:
    """What Route 53 refuses, and how it says so."""

    changing = threading.RLock()
    """Held around every change of a zone, by the API and by CloudFormation alike."""

    def __init__(self) -> None:
        self._change = route53._change_resource_record_sets
        self._error = route53._error_response
        route53._change_resource_record_sets = self.change
        route53._error_response = self.error
        route53._normalise_name = self.normal_name

    @staticmethod
    def normal_name(name: str) -> str:
        r"""Lower case, a trailing dot, ``\052`` for ``*``."""
        escaped = re.sub(r"[^a-z0-9_.\\-]", lambda m: f"\\{ord(m[0]):03o}", name.lower())
        return escaped if not escaped or escaped.endswith(".") else escaped + "."

    def error(self, code: str, message: str, status: int = 400) -> Any:
        if code == "InvalidChangeBatch":
            message = re.sub(
                r"record set (\S+) type (\w+) but it already exists\.",
                r"record set [name='\1', type='\2'] but it already exists",
                message,
            )
            message = f"[{message}]"
        return self._error(code, message, status)

    def change(self, zone_id: str, body: bytes) -> Any:
        """A batch by way of the API: undone where its result breaks a rule."""
        with self.changing:
            before = list(route53._records.get(zone_id) or [])
            answer = self._change(zone_id, body)
            after = list(route53._records.get(zone_id) or [])
            for record in after:
                others = [other for other in after if other is not record]
                if record not in before and (why := self.refusal(zone_id, record, others)):
                    route53._records[zone_id] = before
                    return self.error("InvalidChangeBatch", why)
            return answer

    @staticmethod
    def refusal(zone_id: str, record: dict[str, Any], others: list[dict[str, Any]]) -> str:
        """Why ``record`` cannot be created beside ``others``; empty where it can."""
        zone = route53._zones[zone_id]["name"]
        name, kind = record["Name"], record["Type"]
        beside = [other for other in others if other["Name"] == name]
        if not f".{name}".endswith(f".{zone}"):
            return f"RRSet with DNS name {name} is not permitted in zone {zone}"
        if any(route53._rs_key(other) == route53._rs_key(record) for other in beside):
            return (
                f"Tried to create resource record set [name='{name}', type='{kind}'] "
                "but it already exists"
            )
        of_kind = [other for other in beside if other["Type"] == kind]
        if any(("SetIdentifier" in other) != ("SetIdentifier" in record) for other in of_kind):
            return (
                f"RRSet with DNS name {name}, type {kind} cannot be created "
                "as other RRSets exist with the same name and type."
            )
        if kind == "CNAME" and name == zone:
            return (
                f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
            )
        if kind == "CNAME" and len(beside) > len(of_kind):
            return (
                f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts "
                f"with other records with the same DNS name in zone {zone}"
            )
        if kind != "CNAME" and any(other["Type"] == "CNAME" for other in beside):
            return (
                f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting "
                f"RRSet of type  CNAME with the same DNS name already exists in zone {zone}"
            )
        return ""


class Attempt(Protocol):
    """One try of a resource: why it was refused, if it was, and whether that is for good."""

    def __call__(self, *, dry: bool) -> tuple[str, bool]: ...


def insist(stack_name: str, logical_id: str, attempt: Attempt) -> None:
    """Tries, and where something is in the way tries again, until the delays are used up.

    With ``Gap``, the next try comes so long after nothing is in the way.
    """
    definition = provisioners._cfn_wait_condition_definition(stack_name, logical_id)
    metadata = definition.get("Metadata") or {}
    delays = metadata.get("RetryDelays", RETRY_DELAYS)
    for delay in [*(float(each) for each in delays.split(",") if each), None]:
        refusal, lasting = attempt(dry=False)
        if not refusal:
            return
        if delay is None or lasting:
            raise ValueError(f"[{refusal}]")
        sys.stderr.write(f"{stack_name}/{logical_id}: next try in {delay} s: {refusal}\n")
        for _ in range(round(delay / 0.05)):
            pause(0.05, stack_name)
            if "Gap" in metadata and not attempt(dry=True)[0]:
                pause(float(metadata["Gap"]), stack_name)
                break


class RecordSets:
    """``AWS::Route53::RecordSet``, on a thread of its own, so that it may take its time."""

    def __init__(self, events: Events) -> None:
        self.events = events
        own = provisioners._RESOURCE_HANDLERS[RECORD_SET]
        provisioners._RESOURCE_HANDLERS[RECORD_SET] = own | {
            "create": self.create,
            "delete": self.delete,
        }
        provisioners._r53_record_set_create = self.create  # an update to another name or type
        blocks = stacks._runs_on_worker_thread
        kinds = (RECORD_SET, RECORD_SET_GROUP)
        stacks._runs_on_worker_thread = lambda kind: kind in kinds or blocks(kind)

    def create(self, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        """Tries, and where something is in the way tries again, until the delays are used up."""
        insist(stack_name, logical_id, lambda *, dry: self.attempt(props, dry=dry))
        name = provisioners._r53_record_set_build_rs(props)["Name"]
        self.events.initiated(stack_name, logical_id, RECORD_SET, name)
        pause(PROPAGATION)
        return name, {"Name": name}

    @staticmethod
    def attempt(props: dict[str, Any], *, dry: bool = False) -> tuple[str, bool]:
        """One create: why it was refused, if it was, and whether that is for good.

        A plain A or AAAA over another is refused for good. An identical record of another type is
        adopted. All else is tried again. A ``dry`` one creates nothing.
        """
        record = provisioners._r53_record_set_build_rs(props)
        zone_id = provisioners._r53_resolve_hosted_zone_id(props)
        with Route53.changing:
            if zone_id not in route53._zones:
                return f"No hosted zone found with ID: {zone_id}", True
            standing = list(route53._records.get(zone_id) or [])
            refusal = Route53.refusal(zone_id, record, standing)
            if not refusal:
                if not dry:
                    route53._records[zone_id] = [*standing, record]
                return "", False
        same = next((r for r in standing if route53._rs_key(r) == route53._rs_key(record)), None)
        address = record["Type"] in ("A", "AAAA")
        if same and not address and route53._rs_values(same) == route53._rs_values(record):
            return "", False
        plain = same is not None and not {"AliasTarget"} & (same.keys() | record.keys())
        return refusal, address and plain

    @staticmethod
    def delete(_physical_id: str, props: dict[str, Any]) -> None:
        """Deletes the record if it is still what the stack made it; that it is gone is fine."""
        record = provisioners._r53_record_set_build_rs(props)
        zone_id = provisioners._r53_resolve_hosted_zone_id(props)
        key = route53._rs_key(record)
        with Route53.changing:
            standing = list(route53._records.get(zone_id) or [])
            same = next((each for each in standing if route53._rs_key(each) == key), None)
            if same is None:
                return
            if route53._rs_values(same) != route53._rs_values(record):
                raise ValueError(
                    f"[Tried to delete resource record set [name='{record['Name']}', "
                    f"type='{record['Type']}'] but the values provided do not match "
                    "the current values]"
                )
            route53._records[zone_id] = [each for each in standing if each is not same]
        pause(PROPAGATION)
