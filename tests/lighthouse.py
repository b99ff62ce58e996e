"""What Lighthouse says of three pages as a phone would load them: `make lighthouse`. Node is needed."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LIGHTHOUSE = "lighthouse@12.8.2"  # the last that runs on Node 18 and 20
# It slows the processor down by four, which makes a phone of a machine with this index, of a slower one a slower phone.
# https://github.com/GoogleChrome/lighthouse/blob/main/docs/throttling.md
INDEX = 1500
PAGES = ["book/intro", "book/gates", "notebooks/gates"]
ASKED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
PACKED = (".html", ".css", ".js", ".svg", ".json", ".ttf")  # a WOFF is packed already


@cache
def packed(path):
    return gzip.compress(Path(path).read_bytes())


class Host(SimpleHTTPRequestHandler):
    """Serve as the hosts of static sites do: compressed, and to be kept for a while."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", f"max-age={365 * 86400 if '/_static/' in self.path else 600}")
        super().end_headers()

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not (path.is_file() and path.suffix in PACKED and "gzip" in self.headers.get("Accept-Encoding", "")):
            return super().do_GET()
        body = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def report(address, chromium, folder):
    """Run Lighthouse on a page, as on a phone, which is its default; return its report."""
    flags = "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-quic --disable-background-networking"
    target = Path(folder) / "report.json"
    command = ["npx", "--yes", LIGHTHOUSE, address, flags, "--quiet", "--output=json", f"--output-path={target}"]
    command += [f"--only-categories={','.join(ASKED)}"]
    run = subprocess.run(command, env=os.environ | {"CHROME_PATH": chromium}, capture_output=True, text=True)
    if run.returncode or not target.exists():
        raise SystemExit(f"{LIGHTHOUSE} failed on {address}:\n{(run.stdout + run.stderr)[-2000:]}")
    return json.loads(target.read_text(encoding="utf-8"))


def index(report):
    """Return how fast this machine was just then, in Lighthouse's measure."""
    return report["environment"]["benchmarkIndex"]


def middle(address, chromium, folder):
    """Return of three reports the one whose performance is in the middle: a busy machine moves it by ten and more.

    While the machine is busy with other things, up to six more are made; the three during which it was fastest count.
    """
    found = []
    while len(found) < 9 and sum(index(each) >= INDEX for each in found) < 3:
        found.append(report(address, chromium, folder))
    fastest = sorted(found, key=index)[-3:]
    return sorted(fastest, key=lambda each: scores(each)["performance"])[1]


def scores(report):
    """Return the score of each category, of 100."""
    return {name: round(100 * (report["categories"][name]["score"] or 0)) for name in ASKED}


def reasons(report, category):
    """What costs a category points, dearest first."""
    audits = [(each["weight"], report["audits"][each["id"]]) for each in report["categories"][category]["auditRefs"]]
    lost = [(weight * (1 - audit["score"]), audit) for weight, audit in audits if weight and audit["score"] is not None]
    lost.sort(key=lambda each: -each[0])
    found = [f"{audit['title']} {audit.get('displayValue', '')}".strip() for cost, audit in lost if cost > 0.01]
    return found + (culprits(report["audits"]) if category == "performance" else [])


def culprits(audits):
    """Name the files that keep the browser busy or waiting longest."""
    found = []
    for name, key, does in [("bootup-time", "total", "busy"), ("render-blocking-resources", "wastedMs", "waits")]:
        for each in sorted((audits[name].get("details") or {}).get("items", []), key=lambda each: -each[key])[:3]:
            found.append(f"{does} {each[key]:.0f} ms with {each['url'].rpartition('/')[2].partition('?')[0]}")
    return found


def main(site):
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if shutil.which("npx") is None:
        raise SystemExit("make lighthouse needs Node 18 or newer with npx. Debian, Ubuntu: apt install nodejs npm")
    if chromium is None:
        raise SystemExit("make lighthouse needs chromium, chromium-browser or google-chrome in PATH")
    if missing := [page for page in PAGES if not (site / f"{page}.html").is_file()]:
        raise SystemExit(f"site: a folder with {missing[0]}.html expected, got {site}")
    host = ThreadingHTTPServer(("localhost", 0), partial(Host, directory=site))
    threading.Thread(target=host.serve_forever, daemon=True).start()
    print("page".ljust(20), *ASKED, "index", sep="  ")
    below = []
    with tempfile.TemporaryDirectory() as folder:
        for page in PAGES:
            found = middle(f"http://localhost:{host.server_port}/{page}.html", chromium, folder)
            of = scores(found)
            columns = [page.ljust(20), *(str(of[name]).rjust(len(name)) for name in ASKED), f"{index(found):5.0f}"]
            print("  ".join(columns), "" if index(found) >= INDEX else f"below {INDEX}: too slow a phone", flush=True)
            for name in [name for name in ASKED if of[name] < ASKED[name]]:
                below.append(f"{page}: {name} {of[name]}, asked {ASKED[name]}")
                print(*(f"    {name}: {reason}" for reason in reasons(found, name)), sep="\n", flush=True)
    host.shutdown()
    if below:
        raise SystemExit("\n".join(below))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "_build/html").resolve())
