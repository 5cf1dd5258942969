"""load.py streams URL TOKEN COUNT SECONDS: that many event streams at once, and what each of them got.
load.py requests URL TOKEN RATE: so many GET /v1/tasks a second until it is killed."""

import asyncio
import resource
import sys
import time
from urllib.parse import urlsplit


def request(url, token, path):
    host = urlsplit(url).netloc
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def one_stream(url, token, seconds):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request(url, token, "/v1/events?types=queues"))
    events = 0
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            line = await asyncio.wait_for(reader.readline(), left)
        except asyncio.TimeoutError:
            break
        if not line:
            break
        events += line.startswith(b"event: queues")
    writer.close()
    return events


async def streams(url, token, count, seconds):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    counts = await asyncio.gather(*(one_stream(url, token, seconds) for _ in range(count)))
    print(f"{count} streams for {seconds} s: {min(counts)} to {max(counts)} events each")
    return 0 if min(counts) > 0 else 1


async def requests(url, token, rate):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    begin, done = time.monotonic(), 0
    while True:
        writer.write(request(url, token, "/v1/tasks"))
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        await reader.readexactly(size)
        done += 1
        if done % rate == 0:
            print(f"{done} requests in {time.monotonic() - begin:.1f} s", flush=True)
        await asyncio.sleep(max(0.0, begin + done / rate - time.monotonic()))


def main():
    what, url, token, number = sys.argv[1:5]
    if what == "streams":
        return asyncio.run(streams(url, token, int(number), float(sys.argv[5])))
    return asyncio.run(requests(url, token, int(number)))


if __name__ == "__main__":
    sys.exit(main())
