"""What clients of Kafka are told."""

from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer

from chat4all_core.adapters.kafka.client_config import client_config
from chat4all_core.config import KafkaSection
from chat4all_core.setting import Secret

ACCOUNT = KafkaSection(security="SASL_SSL", username="chat4all", password=Secret("hush"))


def test_an_account_is_passed_on() -> None:
    """The client gets mechanism, name and password, and takes all that it gets."""
    config = client_config(ACCOUNT)
    assert (config["security.protocol"], config["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (config["sasl.username"], config["sasl.password"]) == ("chat4all", "hush")
    Producer(config)


def test_no_account_is_named_where_nobody_logs_in() -> None:
    """Without SASL there is nothing of it in the configuration."""
    assert not [name for name in client_config(KafkaSection()) if name.startswith(("sasl.", "ssl."))]


def test_authorities_are_read(tmp_path: Path) -> None:
    """The file of authorities reaches the client: one that is none is refused by it."""
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    with pytest.raises(KafkaException, match=r"ssl\.ca\.location"):
        Producer(client_config(replace(ACCOUNT, tls_ca_file=wrong)))
