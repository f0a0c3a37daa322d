"""What a delivery is told a channel as: one message or several, always the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat4all_channels.channel import ChannelAccount, Envelope, OutgoingFile, SendsFiles, SendsTemplates
from chat4all_channels.outcome import Outcome, Refused
from chat4all_core.domain.delivery import Delivery, DeliveryFailure
from chat4all_core.domain.file import Attachment
from chat4all_workers.delivery.delivery_files import DeliveryFiles
from chat4all_workers.delivery.text_parts import fits, split_text

_KIBIBYTE = 1_024


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that the channel takes as one."""

    file: Attachment
    caption: str


@dataclass(frozen=True, slots=True)
class LinkPart:
    """A file that people download from us."""

    file: Attachment


Part = TextPart | FilePart | LinkPart


def parts_of(delivery: Delivery, account: ChannelAccount) -> Sequence[Part] | DeliveryFailure:
    """The parts, in order, or why there can't be any. A function of the delivery and of what the channel can do: after
    a crash, the parts that were told are recognised by their numbers."""
    capabilities, file = account.capabilities, delivery.file
    if file is not None and isinstance(account, SendsFiles) and account.takes(file):
        if len(delivery.text) <= account.max_caption(file):
            return [FilePart(file, delivery.text)]
        last: list[Part] = [FilePart(file, "")]
    else:
        last = [] if file is None else [LinkPart(file)]
    texts = split_text(delivery.text, capabilities)
    if len(texts) > 1 and not capabilities.splits_text:
        most = f"{capabilities.max_text} {capabilities.text_unit}"
        return DeliveryFailure("TEXT_TOO_LONG", f"{capabilities.channel} takes at most {most}", "Shorten the text.")
    parts = [*map(TextPart, texts), *last]
    return parts or DeliveryFailure("NOTHING_TO_SEND", "The message has nothing but white space.", "Send a text.")


@dataclass(frozen=True, slots=True)
class Telling:
    """A part that is ready to be told."""

    part: Part
    link: str
    """Of its file."""
    content: OutgoingFile | None

    async def tell(self, account: ChannelAccount, envelope: Envelope, *, as_template: bool) -> Outcome:
        """One call, without a retry."""
        match self.part, self.content:
            case FilePart(), OutgoingFile() as file if isinstance(account, SendsFiles) and not as_template:
                return await account.send_file(envelope, file)
            case TextPart(text), _:
                return await _tell_text(account, envelope, text, as_template=as_template)
            case _:
                return await self._tell_link(account, envelope, as_template=as_template)

    async def _tell_link(self, account: ChannelAccount, envelope: Envelope, *, as_template: bool) -> Outcome:
        file = self.part.file if not isinstance(self.part, TextPart) else None
        described = f"{file.filename} ({_size(file.size)})\n{self.link}" if file else self.link
        # The text that would have been the file's caption. It is short.
        caption = f"{self.part.caption}\n" if isinstance(self.part, FilePart) and self.part.caption else ""
        for text in (caption + described, caption + self.link, self.link):
            if fits(text, account.capabilities):
                return await _tell_text(account, envelope, text, as_template=as_template)
        return Refused(
            DeliveryFailure("LINK_TOO_LONG", "The file's link is longer than a message may be.", "Shorten its name.")
        )


async def prepare(part: Part, files: DeliveryFiles) -> Telling:
    """Make a part ready.

    Raises:
        UnavailableError: the store of files can't serve now.
    """
    if isinstance(part, TextPart):
        return Telling(part, "", None)
    file, link = part.file, await files.link(part.file)
    if isinstance(part, LinkPart):
        return Telling(part, link, None)
    return Telling(part, link, OutgoingFile(file, part.caption, link, lambda: files.content(file)))


def template_of(account: ChannelAccount) -> bool:
    """Whether an account can reach people who have not written lately."""
    return isinstance(account, SendsTemplates) and account.has_template


async def _tell_text(account: ChannelAccount, envelope: Envelope, text: str, *, as_template: bool) -> Outcome:
    if as_template and isinstance(account, SendsTemplates):
        return await account.send_template(envelope, text)
    return await account.send_text(envelope, text)


def _size(size: int) -> str:
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < _KIBIBYTE or unit == "TiB":
            break
        value /= _KIBIBYTE
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
