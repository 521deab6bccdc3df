"""Bytes behind an address (`https://`, `s3://`, ...), by whichever of fsspec's file systems speaks its protocol."""

from __future__ import annotations

import fsspec


def fetched(url: str) -> bytes:
    """All of it. Raises OSError for whatever the file system or the network could not do."""
    try:
        with fsspec.open(url, "rb") as file:
            content: bytes = file.read()
    except OSError:
        raise
    except Exception as error:  # every protocol has exceptions of its own, and not all of them are OSError
        raise OSError(f"{type(error).__name__}: {error}") from error
    return content
