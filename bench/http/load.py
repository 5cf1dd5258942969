"""load.py streams URL TOKEN COUNT SECONDS: that many event streams at once, and what each of them got.
load.py requests URL TOKEN RATE: so many GET /v1/tasks a second until SIGTERM.
What is measured comes as lines `figure NAME VALUE`. An answer with an error status is an error."""

import asyncio
import resource
import signal
import sys
import time
from urllib.parse import urlsplit


def request(url, token, path):
    host = urlsplit(url).netloc
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def status_of(head):
    return int(head.split(b" ", 2)[1])


async def one_stream(url, token, seconds):
    """How many events came."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request(url, token, "/v1/events?types=queues"))
    events = 0
    until = time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds):
            if status_of(await reader.readline()) != 200:
                return 0
            while time.monotonic() < until and (line := await reader.readline()):
                events += line.startswith(b"event: queues")
    except TimeoutError:
        pass
    finally:
        writer.close()
    return events


async def streams(url, token, count, seconds):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ended = await asyncio.gather(*(one_stream(url, token, seconds) for _ in range(count)), return_exceptions=True)
    counts = [events if isinstance(events, int) else 0 for events in ended]
    print(f"{count} streams for {seconds:g} s: {min(counts)} to {max(counts)} events each")
    print(f"figure streams {count}\nfigure streams_silent {counts.count(0)}")


async def answer(reader):
    """The status of the next answer, read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    await reader.readexactly(size)
    return status_of(head)


async def requests(url, token, rate):
    parts = urlsplit(url)
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    begin, done, errors = time.monotonic(), 0, 0
    while not ending.is_set():
        writer.write(request(url, token, "/v1/tasks"))
        errors += await answer(reader) >= 400
        done += 1
        await asyncio.sleep(max(0.0, begin + done / rate - time.monotonic()))
    passed = time.monotonic() - begin
    print(f"{done} requests in {passed:.1f} s, {errors} errors")
    print(f"figure load_per_s {done / passed:.1f}\nfigure load_errors {errors}", flush=True)


def main():
    if len(sys.argv) < 5 or sys.argv[1] not in ("streams", "requests") or len(sys.argv) != (6 if sys.argv[1] == "streams" else 5):
        print(__doc__, file=sys.stderr)
        return 2
    what, url, token, number = sys.argv[1:5]
    asyncio.run(streams(url, token, int(number), float(sys.argv[5])) if what == "streams" else requests(url, token, int(number)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
