"""What a newcomer reads first."""

_TEXT = """\
Chat4All serves REST, gRPC and gRPC-Web on {url}
(gRPC also on {grpc_target}; data in {data_dir}; stop with Ctrl-C)

Try it in another terminal:
  curl -X POST {url}/v1/users -d '{{"username": "ann", "password": "correct horse"}}'
  curl -X POST {url}/v1/auth/token -d '{{"username": "ann", "password": "correct horse"}}'
  grpcurl -plaintext {target} list
  .venv/bin/chat4all{server} login ann
The README goes on from here: a conversation, a message, and its states live.

ready {url}"""


def banner(url: str, grpc_target: str, data_dir: str) -> str:
    """The text; its last line begins with "ready ", for programs that wait for it."""
    target = url.removeprefix("http://")
    return _TEXT.format(
        url=url,
        grpc_target=grpc_target,
        data_dir=data_dir,
        target=target,
        server="" if target == "127.0.0.1:8080" else f" --server {target}",
    )
