"""Where clients reach the platform."""

from chat4all_core.config import Settings


def public_url(settings: Settings) -> str:
    """What URLs to this platform begin with."""
    if settings.files.public_url:
        return settings.files.public_url
    address = settings.envoy.address
    host = "localhost" if address in ("0.0.0.0", "::") else f"[{address}]" if ":" in address else address
    return f"http://{host}:{settings.envoy.port}"
