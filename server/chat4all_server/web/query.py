"""The query of a request."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

from chat4all_core.domain.errors import InvalidArgumentError, Reason


def query_of(request: web.Request) -> Mapping[str, str]:
    """Its fields; of those that are given twice, the last.

    Raises:
        InvalidArgumentError: MALFORMED_REQUEST, it is not UTF-8. (aiohttp would put other characters in place.)
    """
    try:
        return dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise InvalidArgumentError("the query is not UTF-8", reason=Reason.MALFORMED_REQUEST) from error
