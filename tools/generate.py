"""Generates `gen/` from `proto/`: Python code with type stubs, and the descriptor set that Envoy reads.

Run as `make gen`. `--check` writes nothing and fails when the committed output is not what the contracts give.
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import google.api.annotations_pb2
import grpc_tools

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PYTHON = Path("python/chat4all")
DESCRIPTORS = Path("envoy/chat4all.binpb")
# Error details travel as google.protobuf.Any: Envoy can print them only if it knows their types.
ERROR_DETAILS = "google/rpc/error_details.proto"


def main() -> int:
    """Generate into a scratch folder, then compare (`--check`) or replace."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        if "--check" in sys.argv[1:]:
            return check(Path(scratch))
        replace(Path(scratch))
    return 0


def generate(out: Path) -> None:
    """Run protoc on every contract."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    googleapis = Path(google.api.annotations_pb2.__file__).parents[2]
    sources = sorted(str(p.relative_to(PROTO)) for p in PROTO.rglob("*.proto"))
    (out / "python").mkdir()
    (out / DESCRIPTORS).parent.mkdir()
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"-I{googleapis}", f"-I{well_known}"]
    plugins = Path(sys.executable).parent
    subprocess.run(
        [
            *protoc,
            f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
            f"--python_out={out / 'python'}",
            f"--grpc_python_out={out / 'python'}",
            f"--mypy_out=quiet:{out / 'python'}",
            f"--mypy_grpc_out=quiet:{out / 'python'}",
            *sources,
        ],
        check=True,
    )
    subprocess.run(
        [
            *protoc,
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={out / DESCRIPTORS}",
            *sources,
            ERROR_DETAILS,
        ],
        check=True,
    )
    (out / PYTHON / "py.typed").touch()
    for path in (out / PYTHON).rglob("*_grpc.py*"):
        if "class " not in path.read_text().replace("class _", ""):
            path.unlink()  # protoc writes an empty service module for a file without services


def check(out: Path) -> int:
    """Report every difference between the fresh output and the committed one."""
    wrong = [
        f"{name} is not what the contracts give"
        for kind in (PYTHON, DESCRIPTORS.parent)
        for name in _differences(out / kind, ROOT / "gen" / kind)
    ]
    for line in wrong:
        print(line)
    if wrong:
        print("run `make gen` and commit what it changes")
    return 1 if wrong else 0


def replace(out: Path) -> None:
    """Put the fresh output in place of the old."""
    for kind in (PYTHON, DESCRIPTORS.parent):
        shutil.rmtree(ROOT / "gen" / kind, ignore_errors=True)
        shutil.copytree(out / kind, ROOT / "gen" / kind)


def _differences(fresh: Path, committed: Path) -> list[str]:
    names = {
        p.relative_to(base)
        for base in (fresh, committed)
        for p in base.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    return sorted(
        str(committed.relative_to(ROOT) / name)
        for name in names
        if not ((fresh / name).is_file() and (committed / name).is_file())
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


if __name__ == "__main__":
    sys.exit(main())
