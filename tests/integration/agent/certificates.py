"""The keys of one installation and one job, as the operator hands them out."""

import ssl
from pathlib import Path

from ergosphere.controller.certificates import Pair, issue

SERVER_NAME = "job.test"


def give_job_its_keys(authority: Pair, directory: Path) -> None:
    """Put into a directory what an agent finds in its Secret."""
    directory.mkdir(parents=True)
    pair = issue(authority, SERVER_NAME, server=True)
    (directory / "tls.crt").write_bytes(pair.certificate)
    (directory / "tls.key").write_bytes(pair.key)
    (directory / "ca.crt").write_bytes(authority.certificate)


def other_worker_context(directory: Path) -> ssl.SSLContext:
    """A client that shows the job's own certificate, as whoever reads the job's Secret could."""
    context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    return context


def stranger_context(directory: Path) -> ssl.SSLContext:
    """A client without a certificate."""
    return ssl.create_default_context(cafile=str(directory / "ca.crt"))
