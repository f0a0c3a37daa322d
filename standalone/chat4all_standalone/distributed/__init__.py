"""Servers, workers and Envoy as processes of one machine, watched over by one command."""
