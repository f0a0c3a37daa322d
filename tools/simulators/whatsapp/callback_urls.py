"""Where a number's events go: the nearest of three settings."""

from dataclasses import dataclass


@dataclass(slots=True)
class CallbackUrls:
    """The URLs of the app, of the business account and of the number; empty where none is set."""

    app: str = ""
    business_account: str = ""
    phone: str = ""

    @property
    def nearest(self) -> str | None:
        """The URL that counts: the number's own before the business account's before the app's."""
        return self.phone or self.business_account or self.app or None
