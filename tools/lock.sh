#!/bin/sh
# Resolves the dependencies anew and writes uv.lock without the name of the package index: a clone
# installs the pinned versions and hashes from whichever index its machine is set up to use.
# Arguments go to `uv lock` (for example --upgrade-package grpcio).
set -eu
"${UV:-uv}" lock "$@"
sed -i -E \
    -e 's#(registry = ")https?://[^"]*"#\1https://index.invalid/simple"#' \
    -e 's#(url = ")https?://[^/"]*/#\1https://index.invalid/#' uv.lock
