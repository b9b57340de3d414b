"""The style sheet, script and icon: read once at start, served under names that never change."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

DIST = Path(__file__).parent / "frontend" / "dist"

# The name contains a hash of the content, so a copy can be kept for as long as caches allow.
FOR_A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    url: str
    content_type: str
    body: bytes
    gzipped: bytes


class StaticFiles:
    """Files by their plain name for templates, and by their hashed name for browsers."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._by_name = assets
        self._by_url = {asset.url: asset for asset in assets.values()}

    @classmethod
    def load(cls, folder: Path = DIST) -> "StaticFiles":
        files = sorted(path for path in folder.glob("*") if path.is_file())
        if not files:
            raise FileNotFoundError(
                f"{folder} holds no built assets: run `./examhall up`, or `npm ci && npm run build`"
                f" in {folder.parent}"
            )
        return cls({path.name: _read(path) for path in files})

    def url(self, name: str) -> str:
        return self._by_name[name].url

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/static/{name}", self._serve)]

    async def _serve(self, request: web.Request) -> web.Response:
        # A look-up in a table, never in the file system: no name can lead outside the folder.
        asset = self._by_url.get(f"/static/{request.match_info['name']}")
        if asset is None:
            raise web.HTTPNotFound
        headers = {
            hdrs.CACHE_CONTROL: FOR_A_YEAR,
            hdrs.CONTENT_TYPE: asset.content_type,
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        }
        if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            return web.Response(body=asset.body, headers=headers)
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=asset.gzipped, headers=headers)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    fingerprint = hashlib.sha256(body).hexdigest()[:12]
    kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
    is_text = kind.startswith("text/") or path.suffix in {".js", ".svg"}
    return Asset(
        url=f"/static/{path.stem}-{fingerprint}{path.suffix}",
        content_type=f"{kind}; charset=utf-8" if is_text else kind,
        body=body,
        # mtime 0: the same file gives the same bytes on every machine.
        gzipped=gzip.compress(body, mtime=0),
    )
