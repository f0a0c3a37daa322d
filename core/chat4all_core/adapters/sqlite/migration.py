"""The schema of a database file, brought up to date by numbered scripts."""

import sqlite3
from importlib import resources
from pathlib import Path


class NewerSchemaError(Exception):
    """A newer release has written the database; this one might damage it."""


def migrate(connection: sqlite3.Connection, path: Path, folder: str) -> None:
    """Apply the scripts that a database does not have yet, each in a transaction of its own.

    Scripts are `migrations/<folder>/NNNN_<what>.sql`, numbered from 0001 without gaps; the number of those
    applied is the database's `user_version`.

    Raises:
        NewerSchemaError: the database has had scripts that this release does not know.
    """
    scripts = sorted(
        (entry for entry in resources.files(__package__).joinpath("migrations", folder).iterdir()),
        key=lambda entry: entry.name,
    )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(scripts):
        raise NewerSchemaError(
            f"{path} has schema version {version}, this release knows versions up to {len(scripts)}: "
            "run the release that wrote it, or a newer one"
        )
    for number, script in enumerate(scripts[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script.read_text('utf-8')}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
