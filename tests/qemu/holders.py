#!/usr/bin/python3
"""Many keep-alive connections held at the same time, each used twice.

    holders.py ADDRESS PORT COUNT SEED

Opens COUNT connections, asks for a page on each, then once more in random
order while all are still open. Prints `COUNT held, N answers`.
"""
import asyncio
import random
import resource
import sys

AT_ONCE = 200  # how many wait for an answer at a time
PATIENCE_S = 300
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: guest\r\n\r\n"


async def ask(link):
    reader, writer = link
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    body = await reader.readexactly(3)
    assert body == b"ok\n", body


async def each(function, things):
    """function(thing) for all, AT_ONCE at a time; their results."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(thing):
        async with gate:
            return await asyncio.wait_for(function(thing), PATIENCE_S)

    return await asyncio.gather(*map(one, things))


async def main(address, port, count, seed):
    async def open_and_ask(_number):
        link = await asyncio.open_connection(address, port)
        await ask(link)
        return link

    links = await each(open_and_ask, range(count))
    random.Random(seed).shuffle(links)
    await each(ask, links)
    print(f"{count} held, {2 * count} answers", flush=True)
    for _, writer in links:
        writer.close()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]),
                     sys.argv[4]))
