"""The library's client for a store, as the settings describe it."""

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.helpers import BaseURL

from chat4all_core.adapters.s3.signed_put import SignedPut
from chat4all_core.config import S3Section


def open_pool(section: S3Section) -> urllib3.PoolManager:
    """Connections, none of them open yet. Readers that take their time may hold more of them."""
    return urllib3.PoolManager(
        maxsize=section.max_requests,
        timeout=urllib3.Timeout(connect=section.timeout_seconds, read=section.timeout_seconds),
        # Once, for a connection that the store has closed in the moment of its use. Every request may be made twice.
        retries=urllib3.Retry(total=1, redirect=0, status=0, allowed_methods=None),
        cert_reqs="CERT_REQUIRED",
        ca_certs=None if section.tls_ca_file is None else str(section.tls_ca_file),
    )


def client_for(section: S3Section, url: str, pool: urllib3.PoolManager) -> Minio:
    """A client of the store at one of its addresses."""
    scheme, _, host = url.partition("://")
    client = Minio(
        host.rstrip("/"),
        access_key=section.access_key,
        secret_key=section.secret_key.value,
        secure=scheme == "https",
        region=section.region,
        http_client=pool,
    )
    choose = client.disable_virtual_style_endpoint if section.path_style else client.enable_virtual_style_endpoint
    choose()  # type: ignore[no-untyped-call] # the library's is not typed
    return client


def signed_put_for(section: S3Section, url: str) -> SignedPut:
    """Signs what `client_for` can't."""
    endpoint = BaseURL(url.rstrip("/"), section.region)
    endpoint.virtual_style_flag = not section.path_style
    credentials = Credentials(section.access_key, section.secret_key.value)
    return SignedPut(endpoint, section.bucket, section.region, credentials)
