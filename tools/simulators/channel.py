"""The services that are simulated."""

from enum import StrEnum


class Channel(StrEnum):
    """A service."""

    WHATSAPP = "whatsapp"
    INSTAGRAM = "instagram"
    TELEGRAM = "telegram"
