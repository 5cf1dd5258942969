"""How figures and names are written for people; used by plots and tables alike, so that both say the same."""

SYSTEMS = {"covey": "Covey", "ipyparallel": "IPython parallel", "dask": "Dask", "ray": "Ray", "bare-nats": "bare NATS",
           "hyperqueue": "HyperQueue", "posix-spawn": "posix_spawn loop", "celery": "Celery"}


def name(key):
    """A series as words: 'Covey direct, TLS'. A plain transport is the ordinary case and goes unsaid."""
    system, scheme, transport, mode = key
    words = " ".join(part for part in (SYSTEMS.get(system, system), scheme) if part)
    extra = [transport_name(transport)] if transport not in ("", "plain") else []
    return ", ".join([words, *extra, *([mode] if mode else [])])


def transport_name(transport):
    return {"": "plain", None: "plain", "tls": "TLS", "ssh": "SSH"}.get(transport, transport)


def figure(value):
    """Three significant digits, thin groups of thousands, no exponent: 0.0123, 12.3, 4 096, 2 510 000."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        digits = len(str(int(size)))
        rounded = round(value, -(digits - 3)) if digits > 3 else round(value)
        return f"{rounded:,.0f}".replace(",", "\u202f")
    decimals = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4 if size >= 0.01 else 5
    text = f"{value:.{decimals}f}"
    return "<\u202f0.00001" if float(text) == 0 else text


def count(value):
    """A whole number in full."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def scaled(value, steps):
    if value is None:
        return "–"
    for factor, unit in steps:
        if value >= factor * 0.9995:
            return f"{trim(figure(value / factor))}\u00a0{unit}"
    factor, unit = steps[-1]
    return f"{figure(value / factor)}\u00a0{unit}"


def trim(text):
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(value):
    return "0" if value == 0 else scaled(value, ((1, "s"), (1e-3, "ms"), (1e-6, "µs")))


def micros(value):
    return seconds(None if value is None else value * 1e-6)


def size(value):
    return scaled(value, ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")))


def rate(value):
    return scaled(value, ((1e6, "M/s"), (1e3, "k/s"), (1, "/s")))


def percent(value):
    if value is None:
        return "–"
    return f"{value * 100:.0f}\u00a0%" if value >= 0.1 else f"{value * 100:.1f}\u00a0%"


def times(value):
    return "–" if value is None else f"{figure(value)}\u00a0×"


def memory(value):
    """meta.machine.memory is either bytes or already words."""
    return f"{value / 2**30:.0f} GiB" if isinstance(value, (int, float)) and value > 2**20 else str(value)
