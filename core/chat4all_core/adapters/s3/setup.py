"""What has to be done once, before the platform starts."""

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.errors import translated_errors
from chat4all_core.config import S3Section


def create_bucket(section: S3Section) -> bool:
    """Make the bucket; whether it was missing. A new one is private: without a policy, only its owner's account, and
    URLs that it signed, lead to anything. Blocks, and may be called by several at once.

    Raises:
        UnavailableError: the store can't be reached.
        S3RefusedError: the account may not do it, or the name is another's.
    """
    bucket = Bucket(section)
    try:
        with translated_errors():
            return bucket.create()
    finally:
        bucket.close()
