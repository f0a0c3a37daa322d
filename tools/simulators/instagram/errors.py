"""Instagram's own errors."""

from tools.simulators.graph.error import GraphError


def outside_window() -> GraphError:
    """The person wrote too long ago."""
    return GraphError(403, 10, "(#10) This message is sent outside of allowed window.", subcode=2534022)


def no_such_user() -> GraphError:
    """Nobody with this id wrote to the account."""
    return GraphError(400, 100, "(#100) No matching user found", subcode=2018001)


def unavailable() -> GraphError:
    """The person blocked the account, or is gone."""
    return GraphError(400, 551, "(#551) This person isn't available right now.", subcode=1545041)


def too_many_calls() -> GraphError:
    """The account's rate is used up."""
    return GraphError(400, 613, "(#613) Calls to this api have exceeded the rate limit.", is_transient=True)


def app_limit() -> GraphError:
    """The app's rate is used up."""
    return GraphError(429, 4, "(#4) Application request limit reached", is_transient=True)


def temporary() -> GraphError:
    """Something is wrong at the service's own."""
    message = "(#2) An unexpected error has occurred. Please retry your request later."
    return GraphError(500, 2, message, is_transient=True)


def attachment_not_fetched(why: str) -> GraphError:
    """The attachment's URL leads nowhere."""
    return GraphError(400, 100, f"(#100) Failed to fetch the file from the url: {why}", subcode=2018008)


def attachment_refused(why: str) -> GraphError:
    """The attachment isn't what it says."""
    return GraphError(400, 100, f"(#100) Upload attachment failure: {why}", subcode=2018047)
