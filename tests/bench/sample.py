"""INVENTED test data in the shape of a real results file. No figure in here was ever measured: they come from smooth
formulas, only so that every plot and table has something to show. Run it to print the file."""

import json

SYSTEMS = (("covey", "controller", "plain", 2.4e6, 450), ("covey", "controller", "tls", 1.7e6, 620),
           ("covey", "controller", "ssh", 1.2e6, 900), ("covey", "direct", "plain", 3.1e6, 260),
           ("ipyparallel", "leastload", "plain", 520, 4900), ("ipyparallel", "pure", "plain", 750, 4000),
           ("dask", "", "plain", 560, 10800), ("ray", "", "plain", 1900, 3100))
SIZES = (1e3, 1e4, 1e5, 1e6, 4e6, 16e6)


def latency():
    for system, scheme, transport, top, lone in SYSTEMS:
        for power in range(0, 21 if system == "covey" else 13):
            n = 2**power
            roundtrip = n / top + lone * 1e-6
            yield {"experiment": "latency", "system": system, "scheme": scheme, "transport": transport, "engines": 4, "n": n,
                   "sent_s": roundtrip / 3, "roundtrip_s": roundtrip, "sent_tasks_per_s": 3 * n / roundtrip,
                   "roundtrip_tasks_per_s": n / roundtrip}
    for engines in (1, 2, 8, 16, 32, 64, 128):
        for scheme, top in (("controller", 2.0e6), ("direct", 2.8e6)):
            for n in (1, 64, 1024, 32768, 2**20):
                roundtrip = n / (top * engines / (engines + 1.5)) + 450e-6
                yield {"experiment": "latency", "system": "covey", "scheme": scheme, "transport": "plain",
                       "engines": engines, "n": n, "sent_s": roundtrip / 3, "roundtrip_s": roundtrip}


def throughput():
    for system, scheme, transport, top, lone in SYSTEMS:
        ceiling = {"covey": 5.0, "ray": 9.0}.get(system, 2.6)
        for size in SIZES:
            count = max(10, min(200, int(200e6 / size)))
            roundtrip = count * (size * 8e-9 / ceiling + 1 / top) + lone * 1e-6
            yield {"experiment": "throughput", "system": system, "scheme": scheme, "transport": transport, "engines": 4,
                   "bytes": int(size), "count": count, "sent_s": count * 1e-5, "roundtrip_s": roundtrip,
                   "gbit_per_s": size * count * 8e-9 / roundtrip}
    for size in SIZES:
        yield {"experiment": "push", "system": "ipyparallel", "scheme": "leastload", "transport": "plain", "engines": 4,
               "bytes": int(size), "count": 20, "sent_s": 1e-3, "roundtrip_s": 20 * (size * 8e-9 / 7.8 + 2e-3)}
        yield {"experiment": "push", "system": "covey", "scheme": "controller", "transport": "plain", "engines": 4,
               "bytes": int(size), "count": 100, "sent_s": 1e-3, "roundtrip_s": 100 * (size * 8e-9 / 5.2 + 2e-5)}


def maps():
    costs = {("covey", "controller"): 4e-5, ("covey", "direct"): 3e-5, ("ipyparallel", "leastload"): 2e-3,
             ("ipyparallel", "pure"): 1.5e-3, ("dask", ""): 1.1e-3, ("ray", ""): 6e-4}
    for (system, scheme), cost in costs.items():
        for engines in (4, 31, 63):
            for power in range(8):
                dt = 2**power * 1e-3
                n = engines * round(2 / dt)
                wall = n / engines * (dt + cost * engines / 4)
                yield {"experiment": "map", "system": system, "scheme": scheme, "transport": "plain", "engines": engines,
                       "dt": dt, "n": n, "roundtrip_s": wall, "wall_s": wall}


def others():
    for system, scheme, transport, _, lone in SYSTEMS:
        yield {"experiment": "sequential", "system": system, "scheme": scheme, "transport": transport, "engines": 4,
               "p50_us": lone, "p99_us": lone * 1.6, "p999_us": lone * 3}
    yield {"experiment": "sequential", "system": "covey", "scheme": "direct", "transport": "plain", "engines": 4,
           "mode": "blocking thread, slot thread", "p50_us": 310, "p99_us": 600, "p999_us": 1300}
    for system, rate in (("covey", 3900), ("hyperqueue", 410), ("posix-spawn", 5000)):
        yield {"experiment": "exec", "system": system, "engines": 4, "n": 4096, "sent_s": 0.05, "roundtrip_s": 4096 / rate}
    for engines, wall in ((4, 0.31), (31, 0.62), (63, 0.9)):
        yield {"experiment": "startup", "system": "covey", "engines": engines, "wall_s": wall}


def document():
    meta = {"date": "2000-01-01 (INVENTED TEST DATA)", "covey": "0.0.0-test", "nats_server": "0.0.0-test", "quick": True,
            "machine": {"cores": 4, "model": "invented processor", "memory": "16 GiB"}}
    limits = [{"what": "request_reply", "system": "bare-nats", "bytes": 16, "p50_us": 230, "p99_us": 400},
              {"what": "one_way", "system": "bare-nats", "bytes": 128, "messages_per_s": 1.4e6, "bytes_per_s": 1.79e8},
              {"what": "one_way", "system": "bare-nats", "bytes": 1000000, "messages_per_s": 950, "bytes_per_s": 9.5e8}]
    return {"meta": meta, "limits": limits, "rows": [*latency(), *throughput(), *maps(), *others()]}


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
