"""Write the configuration of an Envoy that stands in front of servers on other machines.

python deploy/envoy/render.py --descriptors FILE --template FILE --output FILE ADDRESS [ADDRESS ...]
"""

import argparse
from pathlib import Path

from chat4all_standalone.envoy.config import EnvoySettings, render_config

_GRPC_PORT, _WEB_PORT, _PUBLIC_PORT = 50_051, 8_081, 8_080


def main() -> None:
    """Render it for the servers' IP addresses, their ports being those of compose.yaml."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--descriptors", type=Path, required=True, help="gen/envoy/chat4all.binpb, where Envoy has it")
    parser.add_argument("--template", type=Path, required=True, help="envoy/envoy.yaml.tmpl")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("servers", nargs="+", metavar="ADDRESS", help="an IP address: Envoy resolves no names here")
    options = parser.parse_args()
    settings = EnvoySettings(
        public=("0.0.0.0", _PUBLIC_PORT),
        grpc=tuple((server, _GRPC_PORT) for server in options.servers),
        web=tuple((server, _WEB_PORT) for server in options.servers),
        template=options.template,
        descriptors=options.descriptors,
        data_dir=options.output.parent,
    )
    options.output.write_text(render_config(settings, instance="compose"), encoding="utf-8")


if __name__ == "__main__":
    main()
