"""What is shown within the machine: systemd starts what films, as on a node, and a viewer looks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.camera import care, stick
from tests.camera.viewer import asking, looking, screen
from tests.guest import NETWORK

OUT, UNITS = Path("/out"), Path("/etc/systemd/system")
WEBCAM = "/dev/video11"
"""Vivid, where a Pi 4 has its encoder: it must not be taken for one."""
CSI = {"kind": "picamera2"}
VIVID = {"kind": "v4l2", "device": WEBCAM}
USB = {"kind": "v4l2", "device": stick.NAME}
PICTURES = 25
NOWHERE = Path("/dev/null")
VIRTUAL = """\
Virtual0:
  supported_formats:
  - {width: 640, height: 480, frame_rates: [5, 30]}
  frames: {path: /out/frames/}
  location: CameraLocationFront
  model: Virtual
"""
HEAP = 'SUBSYSTEM=="dma_heap", GROUP="video", MODE="0660"\n'
"""As Raspberry Pi OS has it."""
HOMENODE = "#!/usr/lib/homenode/bin/python\nimport sys\nfrom homenode.cli import main\nsys.exit(main())\n"

Show = Callable[[], Coroutine[Any, Any, str]]


def run(command: str) -> str:
    """What it says. Raises AssertionError: it failed."""
    done = subprocess.run(command, shell=True, text=True, timeout=120, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout.strip()


async def prepare() -> str:
    """With two cameras that are programs: libcamera's, and one of the kernel; and with pins that are one."""
    install()
    care.power()
    run(
        "modprobe -a uvcvideo vhci-hcd; "
        f"modprobe vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 vid_cap_nr={WEBCAM[-2:]}; "
        "udevadm settle; systemctl daemon-reload; systemctl start homenode-video.socket homenode"
        " || { journalctl -u homenode --no-pager | tail -30; false; }"
    )
    return run("systemctl is-active homenode-video.socket homenode").replace("\n", ", ")


def install() -> None:
    """Files and users."""
    Path("/usr/share/libcamera/pipeline/virtual").mkdir(parents=True, exist_ok=True)
    Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml").write_text(VIRTUAL)
    Path("/etc/udev/rules.d/60-heap.rules").write_text(HEAP)
    Path("/usr/lib/homenode/bin/homenode").write_text(HOMENODE)
    Path("/etc/homenode").mkdir()
    Path("/etc/homenode/home.yaml").write_text(care.HOME)
    for unit in ("homenode.service", "homenode-video.socket", "homenode-video@.service"):
        shutil.copy(f"/src/deploy/{unit}", UNITS / unit)
    (UNITS / "homenode.service.d").mkdir()
    (UNITS / "homenode.service.d/pins.conf").write_text(care.PINS)
    run(NETWORK)
    run(
        "set -e; chmod +x /usr/lib/homenode/bin/homenode; "
        "systemd-sysusers /src/deploy/debian/homenode.sysusers; "
        "ln -s /usr/lib/homenode/bin/homenode /usr/bin/homenode; "
        "chgrp -R homenode /etc/homenode; chmod 750 /etc/homenode; "
        "udevadm control --reload; udevadm trigger --settle --subsystem-match=dma_heap; "
        "ln -s system /dev/dma_heap/linux,cma"  # the name that picamera2 looks for; udev takes no comma
    )


def films() -> list[int]:
    """Processes that film."""
    found = subprocess.run(["pgrep", "-f", "homenode.video.capture"], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


async def until_gone(within_s: float, left: Callable[[], object] = films) -> float:
    """Seconds until nothing was left; of who films, unless told otherwise."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while still := left():
        assert loop.time() - began < within_s, f"{still} after {within_s} s"
        await asyncio.sleep(0.1)
    return loop.time() - began


async def filmed(name: str, source: Mapping[str, object]) -> str:
    """So many pictures in a file, and then nobody films."""
    async with looking(source, OUT / f"{name}.h264") as (viewer, gateway):
        await viewer.until_pictures(PICTURES)
        gateway.say(do="end")
        await gateway.until(did="ended")
    return f"nobody films {await until_gone(10):.1f} s after the end"


async def why(code: str, source: Mapping[str, object]) -> str:
    """How it ends that can't be filmed."""
    async with screen(NOWHERE) as viewer, asking(source, viewer) as gateway:
        return told(code, await gateway.until(did="ended"))


def told(code: str, ended: Mapping[str, Any]) -> str:
    """What a caregiver reads."""
    assert ended["why"] == code, ended
    return str(ended["text"]["en"])


async def the_unit_holds() -> str:
    """Who films, and what systemd thinks of it."""
    run(f"systemd-analyze verify {UNITS}/homenode-video.socket {UNITS}/homenode-video@.service")
    told = run("systemd-analyze security homenode-video@0 --no-pager | tail -1")
    async with looking(CSI, NOWHERE) as (_, gateway):
        await gateway.until(did="live")
        confined(*films())
    return re.sub(r".*: ", "exposure ", told)


def confined(pid: int) -> None:
    """It is nobody, may nothing, and sees nothing of the node; and the node's user has no camera."""
    assert run(f"ps -o user:20= -p {pid}") == "homenode-video"
    status = Path(f"/proc/{pid}/status").read_text()
    for line in (r"CapEff:\s0+\n", r"CapBnd:\s0+\n", r"NoNewPrivs:\s1\n", r"Seccomp:\s2\n"):
        assert re.search(line, status), line
    for path in ("/etc/homenode", "/var/lib/homenode"):
        assert run(f"stat -c %a /proc/{pid}/root{path}") == "0", path
    assert run(f"runuser -u homenode -- test -r {WEBCAM} || echo no") == "no"


@contextmanager
def plugged(form: str) -> Iterator[subprocess.Popen[bytes]]:
    """A USB camera, in; out at the end at the latest."""
    with subprocess.Popen([sys.executable, "-m", "tests.camera.stick", form, OUT / "frames"]) as camera:
        try:
            run(f"udevadm wait --timeout=90 {stick.NAME}")
            yield camera
        finally:
            camera.kill()


async def filmed_from(form: str) -> str:
    """A USB camera that sends this form."""
    with plugged(form):
        return await filmed(form, USB)


@contextmanager
def another_program(device: str) -> Iterator[None]:
    """Films with the same camera."""
    command = ["v4l2-ctl", "-d", device, "--stream-mmap", "--stream-count=100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as other:
        assert other.stdout is not None
        other.stdout.read(1)  # it has told of its first picture
        try:
            yield
        finally:
            other.kill()


async def held() -> str:
    """By another program."""
    with plugged("mjpeg"), another_program(stick.NAME):
        return await why("held", USB)


async def denied() -> str:
    """By the rights of the device."""
    run(f"chmod 600 {WEBCAM}")
    try:
        return await why("denied", VIVID)
    finally:
        run(f"chmod 660 {WEBCAM}")


async def unplugged() -> str:
    """While it films."""
    with plugged("mjpeg") as camera:
        async with looking(USB, NOWHERE) as (viewer, gateway):
            await viewer.until_pictures(5)
            camera.kill()
            return told("unplugged", await gateway.until(did="ended"))


def drops(percent: int) -> None:
    """So many of vivid's pictures don't come."""
    run(f"v4l2-ctl -d {WEBCAM} --set-ctrl=percentage_of_dropped_buffers={percent}")


async def silent() -> str:
    """For a while."""
    async with looking(VIVID, NOWHERE) as (viewer, gateway):
        await viewer.until_pictures(5)
        drops(100)
        try:
            warned = await gateway.until(warn="silent")
        finally:
            drops(0)
        await gateway.until(warn=None)
        return str(warned["text"]["en"])


async def hangs() -> str:
    """At the end of its look: what is another user's is killed by the kernel."""
    async with looking(CSI, NOWHERE) as (viewer, gateway):
        await viewer.until_pictures(5)
        os.kill(*films(), signal.SIGSTOP)
        gateway.leash.close()
        return f"nobody films {await until_gone(1):.1f} s after"


async def gateway_killed() -> str:
    """kill -9 of the node, while what films hangs; care had asked it for the look."""
    async with screen(NOWHERE) as viewer:
        await viewer.take(await care.look("bed", viewer.offer))
        await viewer.until_pictures(5)
        (pid,), lit = films(), await care.lit()
        assert lit == (True, True), lit
        ports = open_ports(pid)
        assert ports, "it sends from nowhere"
        run(f"kill -STOP {pid}; kill -9 $(systemctl show --property MainPID --value homenode)")
        gone_s = await until_gone(10)
        await until_gone(1, lambda: ports & open_ports())  # its threads end after it has lost its name
        dark_s = await care.until_dark(10)
        return (
            f"nobody films {gone_s:.1f} s after, no port is open, lamp and light are off {dark_s:.1f} s later"
        )


def open_ports(pid: int | None = None) -> set[str]:
    """UDP's, of a process or all."""
    owner = f"pid={pid}," if pid else ""
    return {row.split()[3].rpartition(":")[2] for row in run("ss -Hunap").splitlines() if owner in row}


SHOWS: dict[str, tuple[str, Show]] = {
    "a node, as deploy/ says": ("", prepare),
    "CSI camera, by picamera2 and libcamera": ("csi", lambda: filmed("csi", CSI)),
    "its unit: user, sandbox": ("", the_unit_holds),
    "CSI camera that is not there": ("", lambda: why("absent", {**CSI, "camera": 3})),
    "USB camera, MJPEG": ("mjpeg", lambda: filmed_from("mjpeg")),
    "USB camera, YUYV": ("yuyv", lambda: filmed_from("yuyv")),
    "USB camera that another program has": ("", held),
    "USB camera, unplugged while it films": ("", unplugged),
    "USB camera that is not there": ("", lambda: why("absent", USB)),
    "vivid, YUYV": ("vivid", lambda: filmed("vivid", VIVID)),
    "vivid, a size it has not": ("size", lambda: filmed("size", {**VIVID, "width": 500, "height": 400})),
    "vivid without the right to it": ("", denied),
    "vivid that falls silent": ("", silent),
    "what films hangs at the end of its look": ("", hangs),
    "node killed while what films hangs": ("", gateway_killed),
}
"""What is shown, and the film that is to be judged."""


def main() -> None:
    """Each show's outcome, a line each."""
    with (OUT / "shown.jsonl").open("w", buffering=1) as shown:
        for name, (film, show) in SHOWS.items():
            try:
                saw, well = asyncio.run(show()), True
            except (AssertionError, OSError, TimeoutError, subprocess.SubprocessError) as error:
                saw, well = f"{type(error).__name__}: {error}", False
                print(run("journalctl --no-pager -n 40 -u 'homenode*'"), flush=True)
            shown.write(json.dumps({"show": name, "film": film, "well": well, "saw": saw}) + "\n")
            print(name, saw, flush=True)


if __name__ == "__main__":
    main()
