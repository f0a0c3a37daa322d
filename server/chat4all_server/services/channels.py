"""chat4all.channels.v1.ChannelService."""

from collections.abc import Sequence

from google.api.httpbody_pb2 import HttpBody

from chat4all.channels.v1 import channel_service_pb2 as pb
from chat4all.channels.v1 import channel_service_pb2_grpc as grpc_pb
from chat4all.messaging.v1 import message_pb2
from chat4all_core.domain.channel import Capabilities
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.webhook_intake import WebhookIntake

_PATH = "/chat4all.channels.v1.ChannelService/"

PUBLIC_METHODS = (_PATH + "VerifyWebhook", _PATH + "ReceiveWebhook")
"""Channels have no access token: they prove themselves otherwise."""


class ChannelService(grpc_pb.ChannelServiceServicer):
    """Networks beyond the platform."""

    def __init__(self, channels: Sequence[Capabilities], intake: WebhookIntake) -> None:
        """`channels`: those on which the platform has an account."""
        self._channels = sorted(channels, key=lambda c: c.channel)
        self._intake = intake

    async def ListChannels(self, request: pb.ListChannelsRequest, context: Context) -> pb.ListChannelsResponse:
        """See the contract."""
        return pb.ListChannelsResponse(channels=map(_to_proto, self._channels))

    async def VerifyWebhook(self, request: pb.VerifyWebhookRequest, context: Context) -> pb.VerifyWebhookResponse:
        """See the contract."""
        hub = request.hub
        query = {"hub.mode": hub.mode, "hub.verify_token": hub.verify_token, "hub.challenge": hub.challenge}
        answer = self._intake.verify(request.channel, query)
        # The challenge comes from outside: nobody may show it as anything but text.
        return pb.VerifyWebhookResponse(body=HttpBody(content_type="text/plain; charset=utf-8", data=answer.encode()))

    async def ReceiveWebhook(self, request: pb.ReceiveWebhookRequest, context: Context) -> pb.ReceiveWebhookResponse:
        """See the contract."""
        headers = {key: str(value) for key, value in context.invocation_metadata() or ()}
        await self._intake.receive(request.channel, headers, request.body.data)
        return pb.ReceiveWebhookResponse()


def _to_proto(channel: Capabilities) -> pb.Channel:
    proto = pb.Channel(
        channel=channel.channel,
        address_example=channel.address_example,
        states=[message_pb2.DeliveryState.State.ValueType(state) for state in sorted(channel.states)],
        max_text=channel.max_text,
        text_unit=channel.text_unit,
        splits_text=channel.splits_text,
        max_file_bytes=channel.max_file_bytes,
        can_begin=channel.can_begin,
    )
    if channel.window is not None:
        proto.window.FromTimedelta(channel.window)
    return proto
