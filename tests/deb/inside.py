"""What is shown within the machine: the package comes, a node runs, everything fails, the package goes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.deb.machine import STICK_PORT
from tests.deb.node import DATA, HOME, PINS, Receiver, does, flat, run, status, until
from tests.guest import NETWORK

OUT = Path("/out")
DROP_INS = Path("/run/systemd/system/homenode.service.d")
MOST_EXPOSED = 2.0
OF_IMAGES = {
    f"homenode-{name}" for name in ("trial.service", "trial.timer", "restart.service", "restart.path")
}
"""Run programs of the image, as root; in effect only there."""
OTHERS = (
    "/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/var/lib/systemd", "/out", "/src", "/proc",
    "/sys", "/run", "/tmp", "/var/tmp", "/dev", "/etc/ld.so.cache", "/lost+found", "/var/lib/mosquitto",
)  # fmt: skip
"""Folders that are apt's own, or nothing of a disk."""
SLOW = 10
"""Times; QEMU's processor, in software, beside other work."""


def tree() -> dict[str, str]:
    """Every file of the machine with a digest; folders with their owners."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(OTHERS)]
        for path in (Path(folder, name) for name in (*folders, *files)):
            if str(path).startswith(OTHERS) or "__pycache__" in path.parts:
                continue
            seen = path.lstat()
            if path.is_symlink():
                what = os.readlink(path)
            elif path.is_file():
                what = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                what = ""
            found[str(path)] = f"{seen.st_mode:o} {seen.st_uid} {seen.st_gid} {what}"
    return found


def package() -> Path:
    """The newest."""
    return max(OUT.glob("homenode_*_amd64.deb"), key=lambda file: file.stat().st_mtime)


def units(*kinds: str) -> list[str]:
    """Of the package."""
    files = run("dpkg -L homenode").splitlines()
    return [file.rpartition("/")[2] for file in files if file.endswith(kinds) and "/systemd/system/" in file]


def active(unit: str) -> str:
    """In systemd's word."""
    return subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True).stdout.strip()


def main_pid() -> int:
    """The gateway's."""
    return int(run("systemctl show -P MainPID homenode"))


def monitor(command: str) -> None:
    """Something is done to the machine from outside."""
    with socket.create_connection(("10.0.2.2", int((OUT / "monitor").read_text())), timeout=60) as qemu:
        qemu.sendall(command.encode() + b"\n")
        time.sleep(1)


def installs() -> str:
    """Without a home.yaml: nothing fails, and no node runs."""
    took = time.perf_counter()
    run(
        f"DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o APT::Install-Recommends=true install {package()}",
        1800,
    )
    took = time.perf_counter() - took
    assert active("homenode") == "inactive", active("homenode")
    until(lambda: active("homenode-panel") == "active", 20 * SLOW, "the panel")
    assert active("homenode-video.socket") == "active"
    failed = run("systemctl --failed --plain --no-legend")
    assert "homenode" not in failed, failed
    run("homenode --version; dpkg --verify homenode")
    return f"{took:.0f} s; gateway waits for home.yaml, panel runs"


def libraries() -> str:
    """Those of wheels, of which others were cut off."""
    return run("/usr/lib/homenode/bin/python -I /src/tests/deb/native.py", 90 * SLOW)


def confined() -> str:
    """Each service at most so exposed, in systemd's own words; units are what systemd takes."""
    told = []
    here = [unit for unit in units(".service", ".socket", ".timer", ".path") if unit not in OF_IMAGES]
    run("udevadm verify --no-summary; systemd-analyze verify --man=no " + " ".join(here))
    for unit in (unit for unit in here if unit.endswith(".service")):
        name = unit.replace("@.", "@0.")
        said = run(f"systemd-analyze security --no-pager {name} | tail -1")
        level = float(re.findall(r"(\d+\.\d)", said)[-1])
        told.append(f"{unit.removesuffix('.service')} {level}")
        assert level <= MOST_EXPOSED, said
    return ", ".join(told)


def opened() -> bool:
    """Whether the network is open for new devices, as far as there is a radio."""
    asked = "runuser -u homenode -- homenode pair --for 10min --data /var/lib/homenode"
    return subprocess.run(asked, shell=True, capture_output=True, check=False).returncode == 0


def plugged() -> Path:
    """The stick is put in; its name."""
    names = Path("/dev/serial/by-id")
    monitor("device_add usb-serial,id=stick,chardev=stick,bus=usb.0,port=1")
    until(lambda: names.is_dir() and any(names.iterdir()), 20 * SLOW, "the stick has a name")
    return min(names.iterdir())


def runs() -> str:
    """A stick that is plugged in after the start, a flat, a broker: a tripped sensor arrives as an alert."""
    port = plugged()
    monitor("device_del stick")
    until(lambda: not port.exists(), 10 * SLOW, "the stick is out")
    run("modprobe -r ftdi_sio usbserial")  # as on a machine that never had one
    Path("/etc/homenode/home.yaml").write_text(HOME.replace("PORT", str(port)))
    run("chown homenode:homenode /etc/homenode/home.yaml")
    run("modprobe -a i2c-dev i2c-i801 snd-hda-intel; udevadm settle")
    DROP_INS.mkdir(parents=True, exist_ok=True)
    (DROP_INS / "pins.conf").write_text(PINS)
    run("systemctl daemon-reload; systemctl start mosquitto homenode")
    receiver = Receiver()
    until(lambda: status().get("link", {}), 20 * SLOW, "the gateway answers")
    again = plugged()
    assert port.exists(), f"{again} was {port}"
    until(opened, 30 * SLOW, "the radio opens its network")
    until(lambda: "floor.water" in json.dumps(status()), 60 * SLOW, "the Zigbee sensor is known")
    does("trip sink")
    wired_s = until(lambda: receiver.alert_of("sink.water"), 20 * SLOW, "the wired sensor's alert")
    does("trip floor")
    radio_s = until(lambda: receiver.alert_of("floor.water"), 20 * SLOW, "the Zigbee sensor's alert")
    receiver.end()
    return f"an alert at the broker {wired_s:.1f} s after the pin, {radio_s:.1f} s after the stick heard"


def may_what_it_needs() -> str:
    """And nothing else: tried within its sandbox."""
    drop_in = DROP_INS / "probe.conf"
    drop_in.write_text("[Service]\nExecStartPre=/usr/lib/homenode/bin/python -I /src/tests/deb/probe.py\n")
    log = "journalctl -u homenode --no-pager -n 40"
    run(f"systemctl daemon-reload; systemctl restart homenode || {{ {log}; false; }}")
    drop_in.unlink()
    run("systemctl daemon-reload")
    said = run(f"{log} | grep -o 'probe: .*' | tail -1")
    _updater_reads_the_clock()
    return said


def _updater_reads_the_clock() -> None:
    """It waits for a clock that is right, and may not be refused to look."""
    lines = Path("/usr/lib/systemd/system/homenode-update.service").read_text().splitlines()
    reads = "import ctypes; print(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))"
    kept = [line for line in lines if not line.startswith(("Condition", "ExecStart", "Restart"))]
    at = kept.index("[Service]") + 1
    kept[at:at] = [
        "Type=oneshot",
        f"ExecStart=/bin/sh -c '/usr/bin/python3 -I -c \"{reads}\" >%t/homenode-update/clock'",
    ]
    Path("/run/systemd/system/clock-probe.service").write_text("\n".join(kept))
    run("systemctl daemon-reload; systemctl start clock-probe")
    assert int(Path("/run/homenode-update/clock").read_text()) >= 0


def hangs() -> str:
    """Stopped, it is killed by the watchdog and comes again."""
    stopped = main_pid()
    os.kill(stopped, signal.SIGSTOP)
    took = until(lambda: main_pid() not in (0, stopped), 60 + 2 * SLOW, "a new gateway")
    until(status, 20 * SLOW, "it answers")
    assert "Watchdog" in run("journalctl -u homenode --no-pager | grep -i watchdog")
    return f"started again {took:.0f} s after it was stopped"


LOOK = """\
import asyncio, os, sys
os.environ["HOMENODE_CAPTURE"] = "unix:/run/homenode-video/socket"
from homenode.gateway.capture import Capture
async def look():
    capture = await Capture.start()
    print("on", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    capture._leash.close()
    await asyncio.wait_for(capture._gone(), 20)
    print("gone", flush=True)
asyncio.run(look())
"""


def films() -> str:
    """Started by the socket, as a user of its own; gone when it is let go of, although it is stopped."""
    look = ["runuser", "-u", "homenode", "--", "/usr/lib/homenode/bin/python", "-I", "-c", LOOK]
    with subprocess.Popen(look, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdin
        assert gateway.stdout
        assert gateway.stdout.readline() == "on\n"
        until(lambda: len(run("pgrep -u homenode-video || true").split()) == 1, 20 * SLOW, "it runs")
        time.sleep(2 * SLOW)  # until it has taken its leash
        os.kill(int(run("pgrep -u homenode-video")), signal.SIGSTOP)
        began = time.perf_counter()
        gateway.stdin.write("\n")
        gateway.stdin.flush()
        assert gateway.stdout.readline() == "gone\n"
    return f"killed {time.perf_counter() - began:.1f} s after it was let go of"


def upgraded() -> str:
    """The same package once more, as an upgrade lays it: what ran is anew, after seconds."""
    began = time.perf_counter()
    run("systemctl restart homenode")
    restart_s = time.perf_counter() - began
    before, panel = main_pid(), run("systemctl show -P MainPID homenode-panel")
    command = f"DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --reinstall {package()}"
    with subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL) as apt:
        gone_s, last = 0.0, time.perf_counter()
        while apt.poll() is None:
            time.sleep(0.2)
            now = time.perf_counter()
            gone_s += (now - last) * (active("homenode") != "active")
            last = now
        assert apt.returncode == 0
    gone_s += until(lambda: active("homenode") == "active", 20 * SLOW, "the gateway")
    assert main_pid() != before, "it is still the old one"
    assert run("systemctl show -P MainPID homenode-panel") != panel, "the panel is still the old one"
    assert gone_s < 3 * restart_s + 2, f"{gone_s:.1f} s without a gateway; a restart takes {restart_s:.1f} s"
    return f"{gone_s:.1f} s without a gateway; a restart by itself takes {restart_s:.1f} s"


def purged(before: dict[str, str]) -> str:
    """Nothing is left but data, and where that is is told."""
    run(f"rm -r {DROP_INS}; systemctl daemon-reload")
    said = run("DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge homenode")
    assert "/var/lib/homenode" in said, said
    run("DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge --autoremove")
    after = tree()
    left = sorted(path for path in after if after[path] != before.get(path))
    data = [path for path in left if path.startswith(("/var/lib/homenode", "/etc/homenode"))]
    other = [path for path in left if path not in data and path not in USERS]
    gone = sorted(before.keys() - after.keys())
    assert not other, f"left or changed: {other[:30]}"
    assert not gone, f"gone: {gone[:30]}"
    assert str(DATA / "journal") in data or any("journal" in path for path in data), data[:20]
    assert "homenode" not in run("systemctl list-unit-files --plain --no-legend")
    return f"{len(data)} files of data in /var/lib/homenode and /etc/homenode"


USERS = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc", "/var", "/usr"} | {
    f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow")
}
"""The data is somebody's: its user stays."""

SHOWS: dict[str, Callable[[], str]] = {
    "apt install, without a home.yaml": installs,
    "its libraries": libraries,
    "services are confined": confined,
    "a node runs": runs,
    "its sandbox": may_what_it_needs,
    "gateway stopped (SIGSTOP)": hangs,
    "what films": films,
    "upgrade": upgraded,
}


def main() -> None:
    """Each show's outcome, a line each."""
    run(NETWORK)
    Path("/etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")  # this machine's disk is no card
    before = tree()
    home: list[subprocess.Popen[bytes]] = []
    with (OUT / "shown.jsonl").open("w", buffering=1) as shown:
        for name, show in (*SHOWS.items(), ("apt purge", lambda: purged(before))):
            try:
                saw, well = show(), True
                if not home:
                    home += flat(STICK_PORT)
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                saw, well = f"{type(error).__name__}: {error}", False
                print(run("journalctl --no-pager -n 60 -u 'homenode*' || true"), flush=True)
            shown.write(json.dumps({"show": name, "well": well, "saw": saw}) + "\n")
            print(name, saw, flush=True)
        for process in home:
            process.terminate()


if __name__ == "__main__":
    main()
