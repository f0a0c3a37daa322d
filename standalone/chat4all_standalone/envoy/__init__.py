"""Envoy as a child process: the public door in front of the server's gRPC and HTTP ports."""

from chat4all_standalone.envoy.config import EnvoySettings, EnvoyTimeouts, render_config
from chat4all_standalone.envoy.process import EnvoyProcess, EnvoyStartError

__all__ = ["EnvoyProcess", "EnvoySettings", "EnvoyStartError", "EnvoyTimeouts", "render_config"]
