"""nginx with proxy_cache as the edge, on eight loopback addresses as eight POPs."""

import shutil
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
import trustme

from prewarm_cli.demo.viewer import viewer_get
from tests.support.service import DOMAIN, HOST, serve

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
POPS = ["NRT57-P3", "SIN2-P1", "SIN2-P2", "SYD1-C1", "SYD62-P2", "ICN57-P1", "ICN57-P2", "BOM78-P1"]
ADDRESSES = [f"127.90.0.{number}" for number in range(1, 9)]

pytestmark = pytest.mark.xdist_group("nginx")

CONFIG = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off;
  log_format paths '$request_method $request_uri';
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=edge:1m;
  map $upstream_cache_status $x_cache {{ default "Miss from cloudfront"; HIT "Hit from cloudfront"; }}
  map $server_addr $pop {{ {pops} }}
  server {{
    {listens}
    ssl_certificate {folder}/host.pem;
    ssl_certificate_key {folder}/host.key;
    location / {{
      proxy_pass http://127.0.0.1:{origin_port};
      proxy_cache edge;
      # Each address has its own cache, as each POP does. Without the method in the key, nginx would store the
      # bodiless response to a HEAD and return it to the GET that follows.
      proxy_cache_key $request_method$server_addr$request_uri;
      proxy_cache_convert_head off;
      proxy_cache_valid 200 1h;
      add_header X-Cache $x_cache always;
      add_header X-Amz-Cf-Pop $pop always;
    }}
  }}
  server {{
    listen 127.0.0.1:{origin_port};
    access_log {folder}/origin.log paths;
    root {folder}/site;
  }}
}}
"""


@dataclass
class Nginx:
    folder: Path
    port: int
    nameserver: str

    def settings(self) -> dict[str, str]:
        return {
            "PREWARM_NAMESERVERS": self.nameserver,
            "PREWARM_CA_BUNDLE": str(self.folder / "ca.pem"),
            "PREWARM_HTTPS_PORT": str(self.port),
            "PREWARM_EDGE_NETWORKS": "127.90.0.0/24",
        }

    def fetched_from_origin(self) -> list[str]:
        lines = (self.folder / "origin.log").read_text().splitlines()
        return [line for line in lines if line.startswith("GET ")]


def free_port(address: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def serve_dns(listener: socket.socket) -> None:
    """Answer DNS queries for the POPs' names until the socket is closed."""
    prefix = DOMAIN.partition(".")[0]
    addresses = {f"{prefix}.{pop}.cloudfront.net.".lower(): ip for pop, ip in zip(POPS, ADDRESSES, strict=True)}
    while True:
        try:
            wire, client = listener.recvfrom(4096)
        except OSError:
            return
        question = dns.message.from_wire(wire)
        name = question.question[0].name
        reply = dns.message.make_response(question)
        if address := addresses.get(str(name).lower()):
            reply.answer.append(dns.rrset.from_text(name, 60, dns.rdataclass.IN, dns.rdatatype.A, address))
        else:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        listener.sendto(reply.to_wire(), client)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    if NGINX is None:
        message = "nginx is not installed (Debian: nginx-light): only the simulated CloudFront was tested"
        warnings.warn(message, stacklevel=1)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "host.key"))
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(str(folder / "host.pem"), append=number > 0)
    (folder / "site").mkdir()
    for number in range(12):
        (folder / "site" / f"{number}.html").write_text(f"page {number}\n" * 50)
    port, origin_port = free_port(), free_port()
    config = CONFIG.format(
        folder=folder,
        origin_port=origin_port,
        user="user root;" if Path("/").owner() == Path(folder).owner() else "",
        pops=" ".join(f"{address} {pop};" for address, pop in zip(ADDRESSES, POPS, strict=True)),
        listens=" ".join(f"listen {address}:{port} ssl http2;" for address in ADDRESSES),
    )
    (folder / "nginx.conf").write_text(config)
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    threading.Thread(target=serve_dns, args=(listener,), daemon=True).start()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex((ADDRESSES[-1], port)) == 0:
                    break
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        yield Nginx(folder, port, f"127.0.0.1:{listener.getsockname()[1]}")
    finally:
        process.terminate()
        process.communicate(timeout=10)
        listener.close()


def test_run_warms_nginx_on_eight_addresses_as_eight_pops(nginx: Nginx, tmp_path: Path) -> None:
    urls = [f"https://{HOST}/{number}.html" for number in range(12)]
    running = serve(nginx.settings(), "--distribution", f"{DOMAIN}={HOST}", "--log-dir", str(tmp_path))
    try:
        last = running.statuses(running.start({"url_list": urls, "region_type": "pop", "region": POPS}))[-1]
        assert last["status"] == "COMPLETED", last
        assert sorted(last["successUrl"]) == sorted(urls)
        assert last["targets"]["outcomes"] == {"warmed": 12 * 8}
        # Each of the eight caches requested each page from the origin once.
        assert len(nginx.fetched_from_origin()) == 12 * 8
        for pop, address in zip(POPS, ADDRESSES, strict=True):
            seen = viewer_get(urls[3], address, nginx.settings())
            assert (seen.pop, seen.x_cache) == (pop, "Hit from cloudfront")
        assert len(nginx.fetched_from_origin()) == 12 * 8

        wrong = {"url_list": [urls[0], f"https://{HOST}/absent.html"], "region_type": "pop", "region": POPS[:2]}
        last = running.statuses(running.start(wrong))[-1]
        assert (last["status"], last["failedUrl"]) == ("FAILED", [f"https://{HOST}/absent.html"])
    finally:
        running.process.terminate()
        assert running.process.wait(timeout=20) == 0
