"""Debugging with grpcurl, by reflection, on the public port and on the server's own."""

import json
import subprocess
from typing import Any
from uuid import uuid4

import pytest
from platform_process import PlatformProcess


class Grpcurl:
    """grpcurl against one port."""

    def __init__(self, binary: str, target: str) -> None:
        self._binary = binary
        self._target = target

    def run(self, *arguments: str, token: str = "", data: str = "") -> str:
        """Its standard output; an error is a failure of the test."""
        headers = ["-H", f"authorization: Bearer {token}"] if token else []
        body = ["-d", data] if data else []
        command = [self._binary, "-plaintext", *headers, *body, self._target, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout

    def call(self, method: str, token: str = "", **request: object) -> dict[str, Any]:
        """One unary call."""
        return dict(json.loads(self.run(f"chat4all.{method}", token=token, data=json.dumps(request))))


@pytest.fixture(params=["public port", "server's own port"])
def tool(request: pytest.FixtureRequest, grpcurl: str, platform: PlatformProcess) -> Grpcurl:
    """grpcurl, on either port."""
    port = platform.envoy_port if request.param == "public port" else platform.grpc_port
    return Grpcurl(grpcurl, f"127.0.0.1:{port}")


def join(tool: Grpcurl) -> tuple[str, str]:
    """Somebody new: user id and token."""
    who = {"username": f"g_{uuid4().hex[:12]}", "password": "correct horse"}
    user = tool.call("identity.v1.IdentityService/RegisterUser", **who)["user"]
    token = tool.call("identity.v1.IdentityService/IssueToken", **who)["access_token"]
    return user["user_id"], str(token)


def test_services_are_found_by_reflection(tool: Grpcurl) -> None:
    """`list` shows the contracts' services, and `describe` what they say."""
    services = tool.run("list").split()
    assert {
        "chat4all.identity.v1.IdentityService",
        "chat4all.messaging.v1.MessagingService",
        "chat4all.status.v1.StatusService",
        "grpc.health.v1.Health",
    } <= set(services)
    assert "rpc SendMessage" in tool.run("describe", "chat4all.messaging.v1.MessagingService")


def test_the_main_job_by_grpcurl(tool: Grpcurl) -> None:
    """Register, create both kinds of conversation, send, list, read, and see the history of states."""
    (ann, ann_token), (ben, ben_token) = join(tool), join(tool)
    messaging = "messaging.v1.MessagingService"
    for kind in ("GROUP", "DIRECT"):
        made = tool.call(f"{messaging}/CreateConversation", ann_token, type=kind, participants=[ben])
        conversation = made["conversation"]["conversation_id"]
    sent = tool.call(f"{messaging}/SendMessage", ann_token, conversation_id=conversation, text="hi")
    tool.call(f"{messaging}/MarkRead", ben_token, message_id=sent["message_id"])
    listed = tool.call(f"{messaging}/ListMessages", ben_token, conversation_id=conversation)
    assert [m["text"] for m in listed["messages"]] == ["hi"]
    message = tool.call(f"{messaging}/GetMessage", ann_token, message_id=sent["message_id"])["message"]
    assert [c["state"] for c in message["history"]] == ["SENT", "READ"]
    assert message["sender"] == ann
