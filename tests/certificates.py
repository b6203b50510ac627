"""Certificates for tests, made by the ``openssl`` program."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OPENSSL = shutil.which("openssl")
MISSING = "the program openssl is not on PATH"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*words: str) -> None:
    assert OPENSSL is not None, MISSING
    subprocess.run([OPENSSL, *words], check=True, capture_output=True, timeout=60)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as paths."""

    cert: str
    key: str


class Authority:
    """Signs certificates in *folder*; ``cert`` is its own."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._name = name
        self.cert = str(folder / f"{name}.crt")
        self._key = str(folder / f"{name}.key")
        openssl("req", "-x509", *CURVE, "-keyout", self._key, "-out", self.cert, "-days", "2", "-subj", f"/CN={name}")

    def issue(self, name: str) -> Pair:
        """A certificate for *name*, good for servers and clients."""
        pair = Pair(str(self._folder / f"{name}.crt"), str(self._folder / f"{name}.key"))
        request = str(self._folder / f"{name}.csr")
        openssl("req", "-new", *CURVE, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        serial = str(self._folder / f"{self._name}.srl")
        openssl(
            "x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self._key, "-CAserial", serial,
            "-CAcreateserial", "-days", "2", "-out", pair.cert,
        )  # fmt: skip
        return pair


def encrypt_key(pair: Pair, password: str) -> str:
    """The path of a copy of *pair*'s key that needs *password*."""
    path = f"{pair.key}.encrypted"
    openssl("pkey", "-in", pair.key, "-out", path, "-aes256", "-passout", f"pass:{password}")
    return path
