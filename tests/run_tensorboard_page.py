"""Open TensorBoard's page on event files and check its charts: `python tests/run_tensorboard_page.py LOGDIR`.

Starts TensorBoard and a headless Chromium, waits until every scalar of every run is drawn, checks that each curve goes
through as many points as the event files have, and takes a screenshot if `--picture` names a file. Needs the extra
`tensorboard` and the program `chromium`, which is driven over the DevTools protocol; nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Leaves only the cards of scalars on the page, without the settings beside them.
SCALARS_ONLY = """
document.querySelector("button[data-value=scalars][aria-checked=false]")?.click();
document.querySelector("button[aria-label='Close side pane']")?.click();
"""
# The curves of each card, by tag: `forceSVG` in the address makes each curve a path "M x,y L x,y ...".
CURVES = """
Object.fromEntries([...document.querySelectorAll("scalar-card")].map(card => [
    card.querySelector(".tag").title,
    [...card.querySelectorAll("line-chart .series-view path")].map(path => path.getAttribute("d")),
]))
"""


@contextlib.contextmanager
def serve(logdir: Path) -> Iterator[str]:
    """TensorBoard on a free port of this machine; the block gets its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        assert server.stderr is not None
        try:
            output = ""
            for line in server.stderr:
                output += line
                if address := re.search(r"at (http://127\.0\.0\.1:\d+)", line):
                    yield address[1]
                    return
            raise RuntimeError(f"TensorBoard did not start: {output}")
        finally:
            server.kill()


def fetch(address: str) -> Any:
    """What TensorBoard's HTTP API answers, past any proxy that the environment names."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=60) as answer:
        return json.load(answer)


def scalars(address: str, runs: int, wait_s: float = 60.0) -> dict[str, dict[str, list[list[float]]]]:
    """The scalars of a number of runs, once they are loaded: rows of time, step and value by run and tag."""
    deadline = time.monotonic() + wait_s
    while len(found := fetch(f"{address}/data/plugin/scalars/tags")) < runs:
        if time.monotonic() > deadline:
            raise TimeoutError(f"TensorBoard found scalars of {len(found)} runs in {wait_s:.0f} s, not of {runs}")
        time.sleep(0.2)
    query = "{}/data/plugin/scalars/scalars?run={}&tag={}"
    return {run: {tag: fetch(query.format(address, run, tag)) for tag in tags} for run, tags in found.items()}


class Browser:
    """A page of a headless Chromium, driven over the DevTools protocol on a pair of pipes."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            raise SystemExit("chromium is not installed; on Debian: apt-get install chromium")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        to_browser, self.requests = os.pipe()
        self.answers, from_browser = os.pipe()

        # Chromium reads from descriptor 3 and writes to 4; a shell moves the ends of the pipes there.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        command = [program, *flags, "--remote-debugging-pipe", f"--user-data-dir={folder}"]
        self.process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command],
            pass_fds=(to_browser, from_browser),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.pending, self.session = 0, b"", ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run a method of the protocol; returns its result."""
        self.number += 1
        request: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.requests, json.dumps(request).encode() + b"\0")
        while True:
            message, zero, rest = self.pending.partition(b"\0")
            if not zero:
                data = os.read(self.answers, 1 << 20)
                if not data:
                    raise RuntimeError("chromium ended")
                self.pending += data
                continue
            self.pending = rest
            answer = json.loads(message)
            if answer.get("id") == self.number:  # the others are events
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        """End the program."""
        self.process.kill()
        self.process.wait()
        os.close(self.requests)
        os.close(self.answers)


def points(path: str) -> int:
    """The number of points of an SVG path."""
    return len(re.findall(r"[ML]", path))


def drawn(browser: Browser, expected: dict[str, list[int]], wait_s: float = 60.0) -> None:
    """Wait until the card of each tag has curves with the expected numbers of points."""
    deadline = time.monotonic() + wait_s
    found: dict[str, list[int]] = {}
    while found != expected:
        if time.monotonic() > deadline:
            raise SystemExit(f"the page has curves with {found} points, where the event files have {expected}")
        time.sleep(0.3)
        browser.evaluate(SCALARS_ONLY)
        curves = browser.evaluate(CURVES) or {}
        found = {tag: sorted(points(path) for path in paths if path) for tag, paths in curves.items()}


def main() -> None:
    """Check the page and print what is on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logdir", type=Path, help="folder of event files")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where to write a screenshot, as PNG")
    parser.add_argument("--size", type=int, nargs=2, default=(1100, 700), metavar=("WIDTH", "HEIGHT"), help="in pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, serve(options.logdir) as address:
        folders = {path.parent for path in options.logdir.rglob("*tfevents*")}
        runs = scalars(address, len(folders))
        # Cards outside the window are not drawn, so all have to fit into it.
        browser = Browser(Path(folder), *options.size)
        try:
            browser.call("Page.navigate", url=f"{address}/?forceSVG=true&smoothing=0#timeseries")
            tags = sorted({tag for found in runs.values() for tag in found})
            expected = {tag: sorted(len(found[tag]) for found in runs.values() if tag in found) for tag in tags}
            drawn(browser, expected)
            if options.picture:
                time.sleep(2.0)  # animations end
                options.picture.write_bytes(browser.picture())
        finally:
            browser.close()
    for tag, numbers in expected.items():
        print(f"{tag}: {len(numbers)} curves with {', '.join(map(str, numbers))} points")


if __name__ == "__main__":
    main()
