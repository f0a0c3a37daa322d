"""Turns whatever a call raises into a status."""

from typing import Any

import grpc

from chat4all_server.errors import abort, refusal_for
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method


class ErrorMapping(Interceptor):
    """Answers refusals with their status, and everything else with INTERNAL and a fixed text: what went wrong is
    in the log, under the call's trace id, and never in the answer."""

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, raising nothing but grpc's own errors and CancelledError."""

        async def mapped(request: Any, context: Context) -> Any:
            try:
                return await behavior(request, context)
            except (grpc.aio.AbortError, grpc.aio.InternalError):
                raise  # the call was answered already, or the connection is gone
            except Exception as error:
                refusal = refusal_for(error, method.path)
            return await abort(context, refusal)

        return mapped
