"""Bytes that change on their way to an S3 store."""

import asyncio
from datetime import UTC, datetime

import urllib3
from s3_store import open_store
from s3_uploads import PART_SIZE, begin

from chat4all_core.adapters.s3.connection import signed_put_for
from chat4all_core.config import S3Section
from chat4all_core.ports.clock import system_clock


async def test_a_damaged_part_is_refused(s3_section: S3Section) -> None:
    """The store compares the bytes of a part with the sum that was signed, and takes those alone that have it."""
    async with open_store(s3_section, system_clock) as store:
        upload = await begin(store, "files/a")
        sent = [bytes(PART_SIZE - 1), b"x"]
        put = signed_put_for(s3_section, s3_section.endpoint_url)
        query = {"partNumber": "1", "uploadId": upload.store_upload}
        url, headers = put.request("files/a", sent, query, {}, datetime.now(UTC))
        for body, status in ((bytes(PART_SIZE), 400), (b"".join(sent), 200)):
            answer = await asyncio.to_thread(urllib3.request, "PUT", url, body=body, headers=headers, retries=False)
            assert answer.status == status
        parts = await store.stored_parts(upload)
        assert [(part.number, part.size) for part in parts.values()] == [(1, PART_SIZE)]
