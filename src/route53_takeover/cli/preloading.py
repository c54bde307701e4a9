"""Loading, before the first write, what is otherwise loaded when it is first needed.

In a gap the files of this program may be gone: an upgrade replaces them, a checkout or a container
layer is deleted. What a rescue, its messages and its ending need is in memory by then. Modules that
are imported at the top of a file are there already; listed here are those that we, or the libraries
that we stand on, import on the way.

What is in memory then stays until the end of the run. Python's collector would go through all of it
again and again, a tenth of a second each time, in which no record could be released.
"""

from __future__ import annotations

import gc
from importlib import import_module

_OURS = ("cli.failures",)
_LIBRARIES = (
    "aiobotocore.tokens",
    "botocore.tokens",
    "dns._asyncio_backend",
)
_DNS_TYPES = (
    *("ANY.CAA", "ANY.CNAME", "ANY.MX", "ANY.NS", "ANY.NSEC", "ANY.OPT", "ANY.RRSIG", "ANY.SOA"),
    *("ANY.TXT", "IN.A", "IN.AAAA", "IN.HTTPS", "IN.SRV"),
)
"""What a name server may answer with; SOA comes with the first answer that a name is not there."""
_PYTHON = (
    "_strptime",  # times in answers of AWS
    "concurrent.futures.thread",  # names of hosts are resolved in a thread
    "encodings.idna",
    "gzip",
    "tempfile",
    "traceback",
)


def preload() -> None:
    """Loads them, and spares the collector what is loaded.

    One that this version of a library does not have is done without.
    """
    ours = [f"route53_takeover.{name}" for name in _OURS]
    for name in (*ours, *_LIBRARIES, *(f"dns.rdtypes.{kind}" for kind in _DNS_TYPES), *_PYTHON):
        try:
            import_module(name)
        except ImportError:
            continue
    gc.collect()
    gc.freeze()
