"""What a newcomer reads first."""

from chat4all_standalone.bootstrap import Platform

_TEXT = """\
Chat4All serves REST, gRPC and gRPC-Web on {url}
(gRPC also on {grpc_target}; data in {data_dir}; stop with Ctrl-C)

Try it in another terminal:
  curl -X POST {url}/v1/users -d '{{"username": "ann", "password": "correct horse"}}'
  curl -X POST {url}/v1/auth/token -d '{{"username": "ann", "password": "correct horse"}}'
  grpcurl -plaintext {target} list
  .venv/bin/chat4all{server} login ann
The README goes on from here: a conversation, a message, and its states live.
{simulators}
ready {url}"""


_SIMULATORS = """
WhatsApp, Instagram and Telegram are simulated: play the customer at {page}
"""


def banner(platform: Platform, data_dir: str) -> str:
    """The text; its last line begins with "ready ", for programs that wait for it."""
    target = platform.url.removeprefix("http://")
    return _TEXT.format(
        url=platform.url,
        grpc_target=platform.grpc_target,
        data_dir=data_dir,
        target=target,
        server="" if target == "127.0.0.1:8080" else f" --server {target}",
        simulators=_SIMULATORS.format(page=platform.simulators) if platform.simulators else "",
    )
