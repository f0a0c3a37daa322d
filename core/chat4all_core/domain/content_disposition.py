"""The name under which a downloaded file is saved."""

from urllib.parse import quote


def content_disposition(filename: str) -> str:
    """The header for a file that is saved under this name (RFC 6266), whatever characters it has."""
    plain = "".join(c if " " <= c < "\x7f" and c not in '"\\%' else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
