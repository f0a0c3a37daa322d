"""The control API and its page, to be mounted at /control."""

from aiohttp import web
from tools.simulators.context import Context

from .accounts import AccountHandlers
from .customers import CustomerHandlers
from .faults import FaultHandlers
from .json_bodies import answer_errors
from .observation import ObservationHandlers
from .page import add_page
from .services import Services
from .webhooks import WebhookHandlers


def build_control(services: Services, context: Context) -> web.Application:
    """The application."""
    application = web.Application(middlewares=[answer_errors])
    AccountHandlers(services).add_to(application)
    CustomerHandlers(services).add_to(application)
    FaultHandlers(context.faults).add_to(application)
    ObservationHandlers(context).add_to(application)
    WebhookHandlers(services, context.deliveries, context.policy).add_to(application)
    add_page(application, services)
    return application
