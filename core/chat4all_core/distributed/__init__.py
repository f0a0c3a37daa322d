"""The engines that several processes share, as the settings name them: Kafka, Cassandra, Redis and an S3 store.

`python -m chat4all_core.distributed setup` makes what they need: keyspace, tables, bucket, topics.
"""
