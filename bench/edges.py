"""Debian's nginx as 64 POPs on loopback addresses: TLS for one host, and the headers that CloudFront sends."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.termination import exit_on_sigterm

HOST = "www.example.com"
NO_NGINX = "nginx is not installed (Debian: nginx-light)"
POPS = 64
LAB = tuple(f"LAB{number}-C1" for number in range(1, POPS + 1))
SIZES = {"1k": 1_000, "100k": 100_000, "10m": 10_000_000}
SLOW_MS = 150
CONFIG = """
daemon off;
master_process on;
worker_processes 1;
pid {folder}/pid;
error_log stderr crit;
{modules}
events {{ worker_connections 16384; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  http2_max_concurrent_streams 256;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  map $server_addr $pop {{ {pops} }}
  split_clients $server_addr$uri $fault {{ {faults} }}
  map $fault $x_cache {{ 0 "Hit from cloudfront"; default "Error from cloudfront"; }}
  server {{
    {listen}
    ssl_certificate {folder}/chain.pem;
    ssl_certificate_key {folder}/key.pem;
    root {folder}/files;
    etag on;
    add_header X-Cache $x_cache always;
    add_header X-Amz-Cf-Pop $pop always;
    add_header X-Amz-Cf-Id "4dXrbq6sDmNsBqyWkNzLLl2mVr9dNw==" always;
    add_header Age 12;
    if ($fault = 404) {{ return 404; }}
    if ($fault = 403) {{ return 403; }}
    if ($fault = 503) {{ return 503; }}
    location ~ ^/(?<size>1k|100k|10m)/ {{ try_files /$size =404; }}
    {slow}
  }}
  server {{ listen {counter}; location = /served {{ stub_status; }} }}
}}
"""
# One target in a hundred: the same ones at every fetch.
ONE_PERCENT = "0.7% 404; 0.3% 403; * 0;"
NO_FAULTS = "* 0;"
SLOW = "location /slow/ { echo_sleep 0.15; echo_exec /1k/slow; }"


@dataclass(frozen=True)
class Edges:
    """The POPs' addresses, their port, a CA file with their root only, and one with all roots of a system.

    `counter`: the URL of nginx's own count of requests.
    """

    addresses: dict[str, str]
    port: int
    one_root: str
    system_roots: str
    can_be_slow: bool
    counter: str

    def served(self) -> int:
        """Return the number of requests that nginx has received, this one left out."""
        with urllib.request.urlopen(self.counter, timeout=10) as response:  # noqa: S310 - loopback
            numbers: list[str] = response.read().decode().splitlines()[2].split()
        return int(numbers[2])


def nginx() -> str | None:
    """Return the path of nginx, or None."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


@contextmanager
def edges(core: int | None, names: Sequence[str] = LAB, faults: str = NO_FAULTS) -> Iterator[Edges]:
    """Serve as the named POPs until the block ends, on one core if one is given.

    `faults`: which share of the targets is answered with which status, as nginx's split_clients.
    Ends the program with NO_NGINX where nginx is not installed.
    """
    program = nginx()
    if not program:
        sys.exit(NO_NGINX)
    addresses = {name: f"127.0.77.{number}" for number, name in enumerate(names, start=1)}
    with exit_on_sigterm(), tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        # nginx's workers run as another user if the master runs as root.
        folder.chmod(0o755)
        _certificates(folder)
        (folder / "files").mkdir()
        for file, size in SIZES.items():
            (folder / "files" / file).write_bytes(os.urandom(1000) * (size // 1000))
        port = _free_port()
        counter = f"127.0.77.250:{port}"
        modules = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
        config = CONFIG.format(
            folder=folder,
            modules=f"load_module {modules};" if modules.exists() else "",
            pops=" ".join(f"{address} {pop};" for pop, address in addresses.items()),
            listen=" ".join(f"listen {address}:{port} ssl http2 backlog=4096;" for address in addresses.values()),
            faults=faults,
            counter=counter,
            slow=SLOW if modules.exists() else "",
        )
        (folder / "nginx.conf").write_text(config)
        server = subprocess.Popen([program, "-p", name, "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
        try:
            if core is not None:
                os.sched_setaffinity(server.pid, {core})
            roots = str(folder / "root.pem"), str(folder / "roots.pem")
            ready = Edges(addresses, port, *roots, modules.exists(), f"http://{counter}/served")
            _wait(ready)
            if core is not None:
                children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
                for child in children:
                    os.sched_setaffinity(int(child), {core})
            yield ready
        finally:
            server.terminate()
            server.wait()


def _certificates(folder: Path) -> None:
    """Create a root and an RSA-2048 leaf; add the root to those that browsers trust, as on a usual system."""
    import certifi  # noqa: PLC0415 - the clients import this module too, and are measured
    import trustme  # noqa: PLC0415

    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    leaf = authority.issue_cert(HOST, key_type=trustme.KeyType.RSA)
    (folder / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    (folder / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    root = authority.cert_pem.bytes()
    (folder / "root.pem").write_bytes(root)
    (folder / "roots.pem").write_bytes(Path(certifi.where()).read_bytes() + root)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(ready: Edges) -> None:
    context = ssl.create_default_context(cafile=ready.one_root)
    address = next(iter(ready.addresses.values()))
    for _ in range(200):
        try:
            with (
                socket.create_connection((address, ready.port), timeout=1) as plain,
                context.wrap_socket(plain, server_hostname=HOST),
            ):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("nginx did not come up")
