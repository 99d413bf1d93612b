#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at report pages in a headless Chromium, as tests/browser.sh calls it.

browser.py FOLDER REPORT...: opens each page from its file: URL and checks that nothing but that file is asked for,
that the console stays silent, that every chart holds marks, and that the choices change what is drawn. Pictures at
1280 and 400 pixels, light and dark, go to FOLDER. Exit code 1 where a check failed.
"""
import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import websocket


class Page:
    """One tab, spoken to by the DevTools protocol."""

    def __init__(self, address):
        self.socket = websocket.create_connection(address, suppress_origin=True, timeout=60)
        self.number = 0
        self.events = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(domain + ".enable")

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, address, width, dark):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=address)
        for _ in range(200):
            if self.run("document.documentElement?.dataset.ready === 'yes'"):
                return
            time.sleep(0.05)
        raise RuntimeError("the script never came to its end")

    def picture(self, path):
        height = self.run("Math.ceil(document.documentElement.scrollHeight)")
        width = self.run("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))


# Texts of one plot that overlap each other, or leave the paper.
OVERLAPS = """[...document.querySelectorAll('svg.plot[id]')].flatMap(svg => {
  const paper = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')];
  const boxes = texts.map(text => text.getBoundingClientRect());
  const bad = boxes.flatMap((box, i) => box.left < paper.left - 1 || box.right > paper.right + 1 ?
      [svg.id + ' leaves the paper: ' + texts[i].textContent] : []);
  for (let i = 0; i < boxes.length; ++i) for (let j = 0; j < i; ++j) {
    const a = boxes[i], b = boxes[j];
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
      bad.push(svg.id + ' overlaps: ' + texts[j].textContent + ' / ' + texts[i].textContent);
  }
  return bad;
})"""
EMPTY = """[...document.querySelectorAll('figure svg.plot[id]')].filter(svg => {
  const marks = [...svg.querySelectorAll('.marks path, .bar, rect')];
  return !marks.some(mark => { const box = mark.getBBox(); return box.width + box.height > 0; });
}).map(svg => svg.id)"""
PATHS = "[...document.querySelectorAll('#%s svg.plot[id] .line, #%s svg.plot[id] .dots')].map(p => p.getAttribute('d')).join()"


class Checks:
    def __init__(self):
        self.failures = 0

    def expect(self, holds, sentence):
        if not holds:
            self.failures += 1
            print("FAILED:", sentence)


def check_silence(page, checks, address):
    page.run("0")
    for event in page.events:
        method, parameters = event["method"], event.get("params", {})
        if method == "Network.requestWillBeSent":
            asked = parameters["request"]["url"]
            checks.expect(asked == address or asked.startswith("data:"), f"the page asks for {asked}")
        checks.expect(method != "Runtime.exceptionThrown", f"exception: {parameters}")
        checks.expect(method not in ("Runtime.consoleAPICalled", "Log.entryAdded"), f"console: {parameters}")


def numbers_of(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def check_same_hand(page, checks):
    """What the script draws without any change of choices is what C++ drew."""
    drawn = ("[...document.querySelectorAll('figure:has(.choices) svg.plot[id]')].map(svg => [svg.id, "
             "[...svg.querySelectorAll('.line, .dots, .bar, .note path, .grid, .base')].map(p => p.getAttribute('d')).join(), "
             "[...svg.querySelectorAll('text')].map(t => t.textContent + '@' + t.getAttribute('x') + ',' + t.getAttribute('y')).join('|')])")
    before = page.run(drawn)
    page.run("document.querySelectorAll('.choices [aria-pressed=true]').forEach(button => button.click())")
    for (plot, paths, texts), (_, new_paths, new_texts) in zip(before, page.run(drawn)):
        for kind, old, new in (("paths", paths, new_paths), ("texts", texts, new_texts)):
            old, new = numbers_of(old), numbers_of(new)
            same = len(old) == len(new) and all(abs(a - b) < 0.11 for a, b in zip(old, new))
            checks.expect(same, f"{plot}: the script draws other {kind}")


def check_choices(page, checks):
    figures = page.run("[...document.querySelectorAll('figure')].filter(f => f.querySelector('.choices')).map(f => f.id)")
    checks.expect(figures, "no chart has choices")
    for figure in figures:
        paths = PATHS % (json.dumps(figure)[1:-1], json.dumps(figure)[1:-1])
        buttons = page.run(f"[...document.querySelectorAll('#{figure} .choices button')].length")
        label = f"document.querySelector('#{figure} svg.plot[id] .axes').textContent"
        for number in range(buttons):
            button = f"document.querySelectorAll('#{figure} .choices button')[{number}]"
            was_pressed = page.run(f"{button}.getAttribute('aria-pressed')") == "true"
            before = page.run(paths) + page.run(label)
            page.run(f"{button}.click()")
            after = page.run(paths) + page.run(label)
            checks.expect(page.run(f"{button}.getAttribute('aria-pressed')") == "true", f"{figure}: button {number}")
            # A straight line may look the same after any choice.
            single = page.run(f"document.querySelectorAll('#{figure} svg.plot[id] .line').length && "
                              f"document.querySelector('#{figure} svg.plot[id] .line').getBBox().height < 4")
            checks.expect(was_pressed or single or before != after, f"{figure}: button {number} changes nothing")
            checks.expect("NaN" not in after and "undefined" not in after, f"{figure}: button {number} draws NaN")
    for figure in page.run("[...document.querySelectorAll('figure')].filter(f => f.querySelector('.legend')).map(f => f.id)"):
        off = f"document.querySelectorAll('#{figure} .series.off').length"
        page.run(f"document.querySelector('#{figure} .legend button').click()")
        checks.expect(page.run(off) >= 1, f"{figure}: its legend switches nothing off")
        page.run(f"document.querySelector('#{figure} .legend button').click()")
        checks.expect(page.run(off) == 0, f"{figure}: its legend does not switch on again")


def check_values(page, checks):
    plot = page.run("document.querySelector('figure svg.plot[tabindex]')?.id")
    page.run(f"document.getElementById('{plot}').focus()")
    for key in ("ArrowRight", "ArrowRight"):
        page.run(f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))")
    checks.expect(page.run("!document.getElementById('tip').hidden && document.getElementById('said').textContent !== ''"),
                  "arrow keys show no value")
    page.run("document.activeElement.blur()")


def check_report(page, checks, folder, report):
    address = report.resolve().as_uri()
    name = report.parent.name
    for width in (1280, 400):
        for dark in (False, True):
            page.open(address, width, dark)
            check_silence(page, checks, address)
            page.picture(folder / f"{name}-{width}-{'dark' if dark else 'light'}.png")
            over = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            checks.expect(over <= 0, f"{name} is {over} pixels too wide at {width}")
            for sentence in page.run(OVERLAPS):
                checks.expect(False, f"at {width}: {sentence}")
            for plot in page.run(EMPTY):
                checks.expect(False, f"{plot} is empty")
    check_same_hand(page, checks)
    check_choices(page, checks)
    check_values(page, checks)
    check_silence(page, checks, address)
    for sentence in page.run(OVERLAPS):
        checks.expect(False, f"after the choices: {sentence}")
    page.call("Emulation.setDeviceMetricsOverride", width=794, height=1123, deviceScaleFactor=1, mobile=False)
    page.call("Emulation.setEmulatedMedia", media="print")
    page.picture(folder / f"{name}-print.png")
    charts = page.run("document.querySelectorAll('figure svg.plot[id]').length")
    print(f"{name}: {charts} charts, {page.run('document.querySelectorAll(`.none`).length')} empty states")
    checks.expect(charts > 2, f"{name} has hardly any chart")


def main():
    folder, reports = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    folder.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    with tempfile.TemporaryDirectory() as profile:
        # No name resolves to anything, and no sandbox, which root may not have.
        browser = subprocess.Popen(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
                                    "--disable-dev-shm-usage", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
                                    "--no-first-run", f"--user-data-dir={profile}", "about:blank"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port_file = pathlib.Path(profile) / "DevToolsActivePort"
            for _ in range(300):
                if port_file.exists() and len(port_file.read_text().split()) > 1:
                    break
                time.sleep(0.1)
            port = port_file.read_text().split()[0]
            tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list"))
            page = Page([tab for tab in tabs if tab["type"] == "page"][0]["webSocketDebuggerUrl"])
            for report in reports:
                check_report(page, checks, folder, report)
        finally:
            browser.terminate()
            browser.wait(20)
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
