"""The platform of the tests: a real server on a port of its own, which may die and come back."""

import asyncio

import grpc

from chat4all.admin.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from chat4all.files.v1.file_service_pb2_grpc import add_FileServiceServicer_to_server
from chat4all.identity.v1.identity_service_pb2_grpc import add_IdentityServiceServicer_to_server
from chat4all.messaging.v1.messaging_service_pb2_grpc import add_MessagingServiceServicer_to_server
from chat4all.status.v1 import status_service_pb2 as status_pb
from chat4all.status.v1.status_service_pb2_grpc import add_StatusServiceServicer_to_server

from .admin import Admin
from .files import Files
from .refusal import Refusal
from .services import Identity, Messaging
from .state import Fault, State
from .status import Status


class Recorder(grpc.aio.ServerInterceptor):
    """Writes unary calls down, holds them at gates and lets them fail as the test asked."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def intercept_service(self, continuation, details):
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        name = details.method.rsplit("/", 1)[1]

        async def serve(request, context):
            try:
                return await self._serve(name, handler.unary_unary, request, context)
            except Refusal as refusal:
                return await refusal.abort(context)

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    async def _serve(self, name, method, request, context):
        self._state.calls.append((name, request))
        await self._state.notify()
        if (gate := self._state.gates.get(name)) is not None:
            await gate.wait()
        faults = self._state.faults[name]
        fault = faults.popleft() if faults else None
        if fault is not None and not fault.after:
            raise fault.refusal
        answer = await method(request, context)
        if fault is not None:
            raise fault.refusal
        return answer


class MemoryPlatform:
    """Starts and kills servers over one state."""

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self._credentials = credentials
        self.state = State()
        self.files = Files(self.state)
        self.admin = Admin(self.state)
        self.port = 0
        self._server: grpc.aio.Server | None = None

    @property
    def target(self) -> str:
        return f"localhost:{self.port}"

    async def start(self) -> None:
        """Serves; a second time on the same port as before."""
        self.status = Status(self.state)
        # Shared with nobody: otherwise a second server could take the port of one that is alive.
        server = grpc.aio.server(interceptors=[Recorder(self.state)], options=[("grpc.so_reuseport", 0)])
        add_AdminServiceServicer_to_server(self.admin, server)
        add_IdentityServiceServicer_to_server(Identity(self.state), server)
        add_MessagingServiceServicer_to_server(Messaging(self.state), server)
        add_StatusServiceServicer_to_server(self.status, server)
        add_FileServiceServicer_to_server(self.files, server)
        if self._credentials is None:
            self.port = server.add_insecure_port(self.target)
        else:
            self.port = server.add_secure_port(self.target, self._credentials)
        await server.start()
        self._server = server

    async def kill(self) -> None:
        """Ends the server at once, cutting every call."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(None)

    def fail(self, method: str, *refusals: Refusal, after: bool = False) -> None:
        """The next calls of a method fail; with `after` they have their effect before that."""
        self.state.faults[method].extend(Fault(refusal, after) for refusal in refusals)

    def hold(self, method: str) -> asyncio.Event:
        """Calls of a method wait until the event is set."""
        return self.state.gates.setdefault(method, asyncio.Event())

    async def going_away(self, reason: status_pb.GoingAway.Reason.ValueType) -> None:
        """Ends the running subscription with an announcement."""
        await self.status.order(status_pb.SubscribeResponse(going_away=status_pb.GoingAway(reason=reason)))
