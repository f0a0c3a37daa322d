"""Faithful stand-ins for WhatsApp, Instagram and Telegram, for tests and for trying things out without an account."""

from .channel import Channel
from .customer_actions import CustomerFile, CustomerMessage
from .faults import Fault, FaultKind, Schedule
from .settings import Settings, load_settings
from .simulators import Simulators

__all__ = [
    "Channel",
    "CustomerFile",
    "CustomerMessage",
    "Fault",
    "FaultKind",
    "Schedule",
    "Settings",
    "Simulators",
    "load_settings",
]
