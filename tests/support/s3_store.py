"""S3 stores of tests: a bucket on an engine that is up."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.connection import client_for, open_pool
from chat4all_core.adapters.s3.s3_object_store import S3ObjectStore
from chat4all_core.adapters.s3.segments import SegmentPlan
from chat4all_core.adapters.s3.setup import create_bucket
from chat4all_core.config import S3Section
from chat4all_core.ports.clock import Clock
from chat4all_core.setting import Secret

ENGINES = ("minio", "seaweedfs")


def section_for(endpoint: Mapping[str, Any], **options: Any) -> S3Section:
    """The settings of an engine, with a bucket of the caller's own."""
    values = {
        "endpoint_url": endpoint["endpoint_url"],
        "region": endpoint["region"],
        "bucket": f"test-{uuid.uuid4()}",
        "access_key": endpoint["access_key"],
        "secret_key": Secret(endpoint["secret_key"]),
        "path_style": endpoint["addressing_style"] == "path",
        "timeout_seconds": 10.0,
        "max_requests": 8,
    }
    return S3Section(**(values | options))


@asynccontextmanager
async def open_store(section: S3Section, clock: Clock, plan: SegmentPlan | None = None) -> AsyncIterator[S3ObjectStore]:
    """A store on a bucket, which is made if need be."""
    create_bucket(section)
    async with aclosing(S3ObjectStore(section, clock, plan)) as store:
        await store.check()
        yield store


def remove_bucket(section: S3Section) -> None:
    """Remove a bucket, if it was made, with all that is in it: SeaweedFS has room for few."""
    bucket = Bucket(section)
    if bucket.exists():
        for upload in bucket.uploads():
            bucket.abort_upload(upload.object_name, upload.upload_id or "")
        for item in bucket.objects():
            bucket.remove(item.object_name or "")
        client_for(section, section.endpoint_url, open_pool(section)).remove_bucket(section.bucket)
    bucket.close()
