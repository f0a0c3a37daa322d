"""The inbound role, put together."""

from collections.abc import Sequence

from chat4all_channels.accounts import ChannelAccounts
from chat4all_core.app.announce_membership import AnnounceMembership
from chat4all_core.app.upload_file import UploadFile
from chat4all_core.domain.channel import AccountId, ChannelName
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.inbound.handler import ChannelInbound, InboundHandler
from chat4all_workers.inbound.keep_media import KeepMedia
from chat4all_workers.inbound.place import FindPlace
from chat4all_workers.inbound.receive_message import ReceiveMessage
from chat4all_workers.inbound.report_state import ReportState


def build_inbound(
    engine: Engine,
    accounts: ChannelAccounts,
    upload_file: UploadFile,
    max_media_bytes: int,
    codec: EventCodec,
    metrics: Metrics,
    clock: Clock,
) -> InboundHandler:
    """For every channel on which there is an account. `max_media_bytes`: of one file that a person sends."""
    announce = AnnounceMembership(streams=engine.streams, log=engine.log, codec=codec, clock=clock)

    def of_channel(name: ChannelName) -> ChannelInbound:
        by_id = {opened.account.account_id: opened.account for opened in accounts[name]}
        configs = {opened.account.account_id: opened.config for opened in accounts[name]}

        def inbox_of(account: AccountId) -> Sequence[str]:
            return configs[account].inbox if account in configs else ()

        find_place = FindPlace(
            conversations=engine.conversations,
            contacts=engine.contacts,
            identities=engine.identities,
            users=engine.users,
            announce=announce,
            inbox_of=inbox_of,
            clock=clock,
        )
        receive = ReceiveMessage(
            name,
            find_place=find_place,
            contacts=engine.contacts,
            identities=engine.identities,
            messages=engine.messages,
            provider_messages=engine.provider_messages,
            ledger=engine.ledger,
            keep_media=KeepMedia(by_id, upload_file, max_media_bytes),
            forwards=lambda account: account in configs and configs[account].forward,
            log=engine.log,
            codec=codec,
            clock=clock,
        )
        report = ReportState(
            name,
            provider_messages=engine.provider_messages,
            delivery_states=engine.delivery_states,
            log=engine.log,
            codec=codec,
            clock=clock,
        )
        return ChannelInbound(receive, report)

    return InboundHandler({name: of_channel(name) for name in accounts}, codec, metrics)
