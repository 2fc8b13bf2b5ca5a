"""The TLS of a job: its own certificate for the server, and one authority that vouches for the client."""

import ssl
from pathlib import Path


def server_context(directory: Path) -> ssl.SSLContext:
    """A server that talks to the operator alone.

    `directory` holds tls.crt, tls.key and the authority's ca.crt. Job certificates are for servers only, so
    none of them is taken for the operator's. Raises OSError or ssl.SSLError when one is missing or unusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    context.load_verify_locations(directory / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context
