"""What a group of receivers needs in NATS: a consumer of the homes' alerts, and a bucket for what it knows.

Alerts are in the stream that NATS itself makes for MQTT. Where the receivers of a party have an account of
their own (`nats: {api: …}`), they reach that consumer by what the homes' account exports, and can't make it:
whoever runs NATS does, with `homenode listen prepare`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.client import JetStreamContext
from nats.js.errors import BucketNotFoundError, NotFoundError, ServerError
from nats.js.kv import KeyValue

from homenode.config.model import Broker
from homenode.contract import topics
from homenode.errors import SetupError
from homenode.link.wire import password, tls_context
from homenode.listen.settings import Settings

log = logging.getLogger("homenode.listen")

STREAM = "$MQTT_msgs"
SUBJECTS = "$MQTT.msgs."
OWN_API = "$JS.API"
ACK_WAIT_S = 5.0
"""What a member that died had fetched goes to another one after so long."""

AT_ONCE = 200
"""Messages asked for at once, and in hand: more lie in NATS."""

REPLICAS = 3
NOT_CLUSTERED = 10074
"""JetStream's error: replicas > 1 not supported in non-clustered mode."""

RETRY_S = 0.5

T = TypeVar("T")


def durable(settings: Settings) -> str:
    """Name of the group's consumer."""
    return f"homenode_{settings.party}_{settings.group}"


async def connect(client: Client, servers: Broker, **more: Any) -> None:
    """Connect with the keys that `servers` names.

    Raises:
        NoLink: What says who we are can't be read.
        SetupError: NATS can't be reached, or refuses.
    """
    keys: dict[str, Any] = {}
    try:
        if servers.username:
            keys["user"] = servers.username
            keys["password"] = password(servers, ", ".join(servers.urls))
        if servers.ca or servers.cert:
            keys["tls"] = tls_context(servers)
        await client.connect(list(servers.urls), **keys, **more)
    except (OSError, NatsError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise SetupError(f"NATS can't be reached: {why}", where=", ".join(servers.urls)) from error


async def prepare(settings: Settings, servers: Broker) -> str:
    """Have the group's consumer where the homes are; its name.

    Raises:
        NoLink: What says who we are can't be read.
        SetupError: NATS can't be reached, or refuses.
    """
    refused = asyncio.get_running_loop().create_future()

    async def error(why: Exception) -> None:
        if "permissions violation" in str(why).lower() and not refused.done():
            refused.set_result(str(why))

    client = Client()
    await connect(client, servers, error_cb=error, max_reconnect_attempts=1, reconnect_time_wait=0.1)
    try:
        making = asyncio.ensure_future(has_consumer(client.jetstream(), settings))
        await asyncio.wait([making, refused], return_when=asyncio.FIRST_COMPLETED)
        if refused.done():
            making.cancel()
            do = "give the certificate that may make consumers"
            raise SetupError(f"NATS refuses: {refused.result()}", where=", ".join(servers.urls), do=do)
        await making
    finally:
        await client.close()
    return durable(settings)


async def until_done(make: Callable[[], Awaitable[T]]) -> T:
    """A cluster that elects a leader takes nothing for some seconds."""
    told, random = "", Random()
    while True:
        try:
            return await make()
        except (NatsError, TimeoutError) as error:
            if str(error) != told:
                told = str(error)
                log.warning("NATS is not ready", extra={"why": told})
            await asyncio.sleep(random.uniform(0, 2 * RETRY_S))


async def has_consumer(js: JetStreamContext, settings: Settings) -> None:
    """The stream of MQTT messages, as NATS makes it for its first MQTT client, and the consumer of it."""
    party, homes = settings.party, settings.homes or ("*",)
    await until_done(lambda: _has_stream(js))
    consumer = ConsumerConfig(
        durable_name=durable(settings),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        filter_subjects=[SUBJECTS + topics.alerts(home, party).replace("/", ".") for home in homes],
        max_ack_pending=10 * AT_ONCE,
    )
    await until_done(lambda: js.add_consumer(STREAM, consumer))


async def reaches_consumer(client: Client, settings: Settings) -> None:
    """The consumer that was made for us in the account of the homes."""
    js = client.jetstream(prefix=settings.api)
    await until_done(lambda: js.consumer_info(STREAM, durable(settings)))


async def bucket(js: JetStreamContext, settings: Settings) -> KeyValue:
    """Where the group keeps its homes."""
    name = f"hn1_{settings.party}_{settings.group}"

    async def has_bucket() -> Any:
        try:
            return await js.key_value(name)
        except BucketNotFoundError:
            return await _replicated(lambda n: js.create_key_value(KeyValueConfig(bucket=name, replicas=n)))

    kept: KeyValue = await until_done(has_bucket)
    return kept


async def _has_stream(js: JetStreamContext) -> None:
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        wanted = StreamConfig(
            name=STREAM,
            subjects=[f"{SUBJECTS}>"],
            retention=RetentionPolicy.INTEREST,
            storage=StorageType.FILE,
        )
        await _replicated(lambda n: js.add_stream(wanted.evolve(num_replicas=n)))


async def _replicated(make: Callable[[int], Awaitable[T]]) -> T:
    try:
        return await make(REPLICAS)
    except ServerError as error:
        if error.err_code != NOT_CLUSTERED:
            raise
        log.warning("this NATS is no cluster: what it keeps is on one machine")
        return await make(1)
