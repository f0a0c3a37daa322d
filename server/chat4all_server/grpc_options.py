"""How the gRPC server uses its connections."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

GRPC_OPTIONS = (
    # A second server on the same port would silently take a share of the connections.
    ("grpc.so_reuseport", 0),
    # By default gRPC cancels calls at random, with no word of why, once 1,000 have come that no task serves yet: one
    # loop's hiccup in a burst. What waits here costs some kilobytes, and Envoy's own limits come first.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Envoy takes 64 KiB of headers and adds a few of its own. gRPC's default, 8 to 16 KiB, would refuse some of
    # those requests with a status that has no details.
    ("grpc.max_metadata_size", 128 * 1024),
    ("grpc.absolute_max_metadata_size", 128 * 1024),
    # Without these two, the windows of uploads grow far faster than a slow handler reads, at the cost of hundreds
    # of megabytes; with them they stay at a size that still carries hundreds of megabytes a second.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 512 * 1024),
    # Subscriptions may be quiet for long. Pings keep what lies between from forgetting them, and find dead peers.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Envoy pings every 10 s, and so may clients; the default would cut them off after two such pings.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)
