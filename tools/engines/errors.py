"""The one error of this package."""


class EngineError(Exception):
    """An engine could not be installed, started, reached or stopped. The text is for people."""
