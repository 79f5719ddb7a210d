"""An S3 server on the loopback, with a bucket in it and a faulty way to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from faulty_server import FaultyServer
from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[tuple[str, int]]:
    """Start a server, and stop it at the end; gives host and port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        yield server.get_host_and_port()
    finally:
        server.stop()


@dataclass
class Bucket:
    """A new bucket that anyone may read.

    Attributes
    ----------
    name : str
    client
        Of the server itself.
    way : FaultyServer
        The way there that a client is to take.
    """

    name: str
    client: Any
    way: FaultyServer

    def put(self, key: str, content: bytes) -> None:
        """Store an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content, ACL="public-read")


def make_bucket(name: str, host: str, port: int) -> Bucket:
    """Make a bucket on a server, and a way to it; its maker stops the way."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.create_bucket(Bucket=name)
    return Bucket(name, client, FaultyServer(host, port))
