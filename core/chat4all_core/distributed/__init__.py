"""The engines that several processes share, as the settings name them: Kafka, Cassandra and Redis.

`python -m chat4all_core.distributed setup` makes what they need: keyspace, tables, topics.
"""
