"""Where the files of documents are: a folder, or a bucket of anything that speaks S3."""

import asyncio
import os
from functools import cached_property
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import obstore
import structlog
from aiohttp import hdrs, web
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from services.enrollment.settings import Settings
from shared.errors import NoSuchPage, Refused

log = structlog.get_logger()

MEDIA_TYPE = "image/jpeg"
PATIENCE_SECONDS = 10
RETRIES = 2


class StoreAway(Refused):
    """Pictures cannot be stored or shown at present. Nothing was lost; try again in a minute."""

    status: ClassVar[int] = 503
    retry_after_seconds = 60


class DocumentStore:
    """Puts, gets and removes files by the id of their document; no name is anybody's choice."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def put(self, document_id: UUID, content: bytes) -> None:
        try:
            store = await asyncio.to_thread(lambda: self._store)
            await obstore.put_async(store, _path(document_id), content)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / _path(document_id))
        except (BaseError, OSError) as error:
            raise _away("put", error) from None

    async def get(self, document_id: UUID) -> bytes:
        try:
            store = await asyncio.to_thread(lambda: self._store)
            found = await obstore.get_async(store, _path(document_id))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise NoSuchPage from None
        except (BaseError, OSError) as error:
            raise _away("get", error) from None

    async def remove(self, document_id: UUID) -> None:
        try:
            store = await asyncio.to_thread(lambda: self._store)
            await obstore.delete_async(store, _path(document_id))
        except FileNotFoundError:
            return  # it had never arrived, or is gone already
        except (BaseError, OSError) as error:
            raise _away("remove", error) from None

    async def answer(self, document_id: UUID, *, name: str) -> web.Response:
        """Answer with a picture that is shown inside a page, or kept as a file."""
        return web.Response(
            body=await self.get(document_id),
            content_type=MEDIA_TYPE,
            headers={
                hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.jpg"',
                hdrs.CACHE_CONTROL: "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @property
    def _folder(self) -> Path | None:
        url = self._settings.documents_url
        return Path(url.path or "") if url.scheme == "file" else None

    @cached_property
    def _store(self) -> ObjectStore:
        """Open it when it is first needed: a service starts before its bucket."""
        settings = self._settings
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return LocalStore(self._folder)
        endpoint = settings.documents_endpoint
        return S3Store.from_url(
            str(settings.documents_url),
            config={
                "region": settings.documents_region,
                "access_key_id": settings.documents_key_id,
                "secret_access_key": settings.documents_key_secret.get_secret_value(),
                **({"endpoint": str(endpoint).rstrip("/")} if endpoint else {}),
            },
            client_options={
                "allow_http": endpoint is not None and endpoint.scheme == "http",
                "timeout": f"{PATIENCE_SECONDS} seconds",
            },
            retry_config={"max_retries": RETRIES},
        )


def _path(document_id: UUID) -> str:
    # A folder with a hundred thousand files is slow to list.
    return f"{document_id.hex[:2]}/{document_id.hex}.jpg"


def _sync(file: Path) -> None:
    """Have it on the disk before anybody is told that it was kept."""
    for path in (file, file.parent):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _away(act: str, error: Exception) -> StoreAway:
    log.error("documents away", act=act, error=str(error).partition("\n")[0])
    return StoreAway()


DOCUMENT_STORE = web.AppKey("document_store", DocumentStore)
