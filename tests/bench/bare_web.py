"""The yardstick: bare aiohttp that reads a JSON body and answers with one. python -m … PORT."""

import sys

import uvloop
from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    asked = await request.json()
    return web.json_response({"sitting": asked["sitting"], "area": asked["area"]})


async def healthy(request: web.Request) -> web.Response:
    return web.Response()


def main() -> None:
    app = web.Application()
    app.add_routes([web.post("/", answer), web.get("/readyz", healthy)])
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
