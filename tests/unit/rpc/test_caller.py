"""Who calls: certificates before headers, and never two answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.errors import InvalidRequestError
from service.rpc.caller import caller_of

HEADER = "x-caller"
ONE_DAY = dt.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey


def to_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate(
    common_name: str, key: Key, issuer: tuple[str, Key], names: list[x509.GeneralName]
) -> bytes:
    """Make a certificate as PEM; the issuer of itself may sign others."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(name(issuer[0]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - ONE_DAY)
        .not_valid_after(now + ONE_DAY)
        .add_extension(x509.BasicConstraints(issuer[1] is key, None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(issuer[1], hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


class Authority:
    """Signs certificates for one test."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.pem = certificate("authority", self._key, ("authority", self._key), [])

    def sign(self, common_name: str, names: list[x509.GeneralName]) -> tuple[bytes, bytes]:
        """Return a new key and its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = certificate(common_name, key, ("authority", self._key), names)
        return to_pem(key), signed


class WhoAmI(grpc.GenericRpcHandler):
    """Answers every call with who calls."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        try:
            return caller_of(context, self._header).encode()
        except InvalidRequestError as exc:
            return f"refused {exc.message}".encode()


async def ask(channel: grpc.aio.Channel, *metadata: tuple[str, str | bytes]) -> str:
    return (await channel.unary_unary("/who/AmI")(b"", metadata=metadata)).decode()


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def secure_port(authority: Authority) -> AsyncIterator[int]:
    """A server that demands a certificate, and also looks at the header."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((WhoAmI(HEADER),))
    own = authority.sign("server", [x509.DNSName("localhost")])
    credentials = grpc.ssl_server_credentials([own], authority.pem, require_client_auth=True)
    port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    yield port
    await server.stop(None)


def secure_channel(
    authority: Authority, port: int, common_name: str, *names: x509.GeneralName
) -> grpc.aio.Channel:
    key, signed = authority.sign(common_name, list(names))
    credentials = grpc.ssl_channel_credentials(authority.pem, key, signed)
    return grpc.aio.secure_channel(f"localhost:{port}", credentials)


@pytest.fixture
async def plain_channel() -> AsyncIterator[grpc.aio.Channel]:
    """A connection that proves nothing, to a server that looks at the header."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((WhoAmI("X-Caller"),))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        yield channel
    await server.stop(None)


async def test_a_certificate_tells_who_calls_whatever_the_header_says(
    authority: Authority, secure_port: int
) -> None:
    """Renewed certificates of the same names are the same caller; the order is no difference."""
    alice = x509.UniformResourceIdentifier("spiffe://mesh/alice")
    extra = x509.DNSName("alice.example")
    async with secure_channel(authority, secure_port, "a", alice, extra) as channel:
        first = await ask(channel, (HEADER, "bob"))
    async with secure_channel(authority, secure_port, "renewed", extra, alice) as channel:
        second = await ask(channel)
    assert first == second
    assert "spiffe://mesh/alice" in first
    assert "bob" not in first


async def test_a_certificate_without_alternative_names_is_known_by_its_common_name(
    authority: Authority, secure_port: int
) -> None:
    """Two of them are two callers."""
    callers = []
    for name in ("alice", "bob"):
        async with secure_channel(authority, secure_port, name) as channel:
            callers.append(await ask(channel))
    assert callers[0].endswith("alice")
    assert callers[1].endswith("bob")


async def test_a_header_cannot_say_what_a_certificate_says(
    authority: Authority, secure_port: int, plain_channel: grpc.aio.Channel
) -> None:
    """Nor does a client on an open port become the owner of a certificate."""
    async with secure_channel(authority, secure_port, "alice") as channel:
        proved = await ask(channel)
    assert await ask(plain_channel, (HEADER, proved.replace("\n", " "))) != proved
    assert await ask(plain_channel, (HEADER, "alice")) != proved


async def test_the_named_header_tells_who_calls(plain_channel: grpc.aio.Channel) -> None:
    """Whatever the case of its name; other headers tell nothing."""
    alice = await ask(plain_channel, ("x-other", "mallory"), (HEADER, "alice"))
    assert alice == "header\nalice"
    assert await ask(plain_channel, (HEADER, "bob")) != alice


async def test_who_does_not_say_is_nobody_in_particular(plain_channel: grpc.aio.Channel) -> None:
    """Without the header, and with an empty one."""
    assert await ask(plain_channel) == ""
    assert await ask(plain_channel, (HEADER, "")) == ""


async def test_two_headers_are_refused(plain_channel: grpc.aio.Channel) -> None:
    """One may be the client's, and one the mesh's."""
    answer = await ask(plain_channel, (HEADER, "alice"), (HEADER, "bob"))
    assert answer == "refused x-caller: came 2 times; it must come once"


class WithoutHeader:
    """A context of a call over a connection that proves nothing."""

    def peer_identities(self) -> None:
        return None

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ((HEADER, "alice"),)


def test_without_the_flag_no_header_is_believed() -> None:
    """All callers are one."""
    assert caller_of(WithoutHeader(), None) == ""
