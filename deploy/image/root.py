"""The root file system: Debian's packages, ours, and what makes a node of them."""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.image.tools import CACHE, NO_RECOMMENDS, RELEASE, WITHOUT, Tools, emulate, sources

HERE = Path(__file__).parent
EXTRA = CACHE / "packages-beside"
USERS = {"homenode": 880, "homenode-video": 881, "homenode-update": 882, "_chrony": 883}
GROUPS = {"gpio": 884, "i2c": 885}
"""By number, as the data partition outlives a version."""
KERNEL = "linux-image-arm64"
BESIDE = ("busybox-static", "u-boot-rpi", "raspi-firmware")
"""Packages of which the card needs files, and the root nothing."""
APPLETS = (
    "sh", "mount", "umount", "insmod", "dd", "hexdump", "cat", "basename", "dirname", "readlink", "printf",
    "sleep", "switch_root", "reboot", "blockdev",
)  # fmt: skip
"""What `init` calls."""
ENABLED = (
    "homenode-data", "homenode-wireless", "homenode-network-time.path", "homenode-network-time.service",
    "chrony", "nftables", "ssh", "systemd-networkd", "systemd-resolved",
)  # fmt: skip
MASKED = (
    "getty@tty1.service", "serial-getty@.service", "apt-daily.timer", "dpkg-db-backup.timer",
    "fstrim.timer", "e2scrub_all.timer", "e2scrub_reap.service", "systemd-pstore.service",
    "remote-fs.target", "console-getty.service", "wpa_supplicant.service",
    "systemd-networkd-wait-online.service", "sshd-keygen.service", "rauc-mark-good.service",
    "systemd-logind.service", "modprobe@configfs.service", "modprobe@drm.service", "modprobe@fuse.service",
    "dev-hugepages.mount", "dev-mqueue.mount", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-random-seed.service",
    "systemd-network-generator.service", "systemd-networkd-persistent-storage.service",
    "systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "systemd-update-done.service",
)  # fmt: skip
UNUSED = (
    "etc/apt", "var/cache/apt", "var/lib/apt/lists", "var/cache/debconf", "var/log/*", "var/lib/dpkg/*-old",
    "etc/machine-id", "var/lib/systemd/*", "etc/ssh/ssh_host_*", "usr/share/X11", "usr/share/sounds",
    "usr/share/python3/debpython/__pycache__",  # written as dpkg ran it, in other bytes each time
    "usr/lib/python3*/ensurepip", "usr/lib/python3*/idlelib", "usr/lib/python3*/turtledemo",
    "usr/lib/aarch64-linux-gnu/gconv", "usr/lib/udev/hwdb.d", "usr/lib/udev/hwdb.bin",
    "usr/share/bash-completion", "usr/share/zsh",
    "usr/share/lintian", "usr/share/bug", "usr/share/common-licenses", "usr/share/alsa/speaker-test",
    "boot/*", "usr/share/polkit-1", "usr/share/initramfs-tools", "tmp/*", "run/*",
)  # fmt: skip
"""What the packages bring and a node hasn't any use for."""


def words(file: str) -> list[str]:
    """The words of one of our lists, without its comments."""
    return [
        word for line in (HERE / file).read_text().splitlines() for word in line.partition("#")[0].split()
    ]


def build(
    made: Tools,
    debs: Iterable[Path],
    kernel: Path | None,
    trusted: Path,
    office: Path | None,
    version: str,
    epoch: int,
) -> Path:
    """The root as a folder, ready to become a file system.

    Args:
        debs: Packages of ours.
        kernel: A folder with the packages of another kernel, such as Raspberry Pi OS's.
        trusted: Certificate of who signs updates.
        office: Certificate of the authority whose offices are believed though no file named one.
        version: That the system says of itself.
        epoch: The time that everything in it has, s since 1970.
    """
    os.umask(0o022)  # as every folder and file that is made here shows it
    emulate(made)
    cache = made.root.parent / "packages"
    root, repo = made.work / "root", made.work / "repo"
    for old in (root, repo):
        shutil.rmtree(old, ignore_errors=True)
    for folder in (repo, cache, EXTRA):
        folder.mkdir(parents=True, exist_ok=True)
    others = sorted(kernel.glob("*.deb")) if kernel else []
    _repository(made, repo, [*debs, *others])
    _users(made)
    ours = [name for name in words("packages.txt") if not (others and name == KERNEL)]
    names = [*ours, *(deb.name.partition("_")[0] for deb in repo.glob("*.deb"))]
    fetched = "$1/var/cache/apt/archives"
    hooks = {
        "setup": f'mkdir -p "{fetched}" && cp {cache}/*.deb "{fetched}/" 2>/dev/null || true',
        "essential": f'cat {made.work}/passwd >>"$1/etc/passwd" && cat {made.work}/group >>"$1/etc/group"',
        "customize": f'cp -u "{fetched}"/*.deb {cache}/ && cd {EXTRA} && '
        "APT_CONFIG=$MMDEBSTRAP_APT_CONFIG "
        f"apt-get -qq -o APT::Sandbox::User=root download {' '.join(BESIDE)}",
    }
    command = ["mmdebstrap", "--quiet", "--mode=root", "--architectures=arm64", "--variant=essential"]
    command += [NO_RECOMMENDS, *WITHOUT, "--dpkgopt=force-unsafe-io", f"--include={','.join(sorted(names))}"]
    command += ["--skip=check/qemu,essential/unlink,cleanup/apt,download/empty"]
    command += [f"--{when}-hook={what}" for when, what in hooks.items()]
    command += [
        RELEASE,
        str(root),
        *sources("main", "non-free-firmware"),
        f"deb [trusted=yes] copy:{repo} ./",
    ]
    subprocess.run(command, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}, check=True)
    image = _kernel(made, root)
    for pattern in UNUSED:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    _configure(made, root, epoch)
    (root / "etc/machine-id").touch()
    name(root, version)
    shared = root / "usr/share/homenode"
    (shared / "trust").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(trusted, shared / "updates.pem")
    if office:
        shutil.copyfile(office, shared / "trust/office.pem")
    (root / "boot/kernel").write_bytes(gzip.compress(image, mtime=0))
    (root / "boot/initrd").write_bytes(_initrd(made, root))
    return root


def name(root: Path, version: str) -> None:
    """What the system says of itself (os-release(5)), which is the version that updates go by."""
    path = root / "usr/lib/os-release"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("IMAGE_")]
    path.write_text("\n".join([*kept, "IMAGE_ID=homenode", f'IMAGE_VERSION="{version}"', ""]))


def _users(made: Tools) -> None:
    """Ours, for /etc/passwd and /etc/group, before any package makes them."""
    member = {"homenode-update": USERS["homenode"]}
    users = [
        f"{name}:x:{uid}:{member.get(name, uid)}::/nonexistent:/usr/sbin/nologin\n"
        for name, uid in USERS.items()
    ]
    groups = [f"{name}:x:{gid}:\n" for name, gid in (USERS | GROUPS).items() if name not in member]
    (made.work / "passwd").write_text("".join(users))
    (made.work / "group").write_text("".join(groups))


def _repository(made: Tools, repo: Path, debs: Iterable[Path]) -> None:
    """A folder that apt installs our packages from."""
    stub = made.work / "initrd-stub"
    (stub / "DEBIAN").mkdir(parents=True, exist_ok=True)
    (stub / "DEBIAN/control").write_text(
        "Package: homenode-image-initrd\nVersion: 1\nArchitecture: all\nMaintainer: homenode\n"
        "Provides: linux-initramfs-tool\nDescription: the image has an initrd of its own\n"
    )
    made.run(
        "dpkg-deb", "-Zxz", "--root-owner-group", "-b", "initrd-stub", "repo/homenode-image-initrd_1_all.deb"
    )
    for deb in debs:
        shutil.copy(deb, repo)
    entries = []
    for deb in sorted(repo.glob("*.deb")):
        control = made.run("dpkg-deb", "-f", f"repo/{deb.name}").decode().rstrip()
        body = deb.read_bytes()
        digest = hashlib.sha256(body).hexdigest()
        entries.append(f"{control}\nFilename: ./{deb.name}\nSize: {len(body)}\nSHA256: {digest}\n")
    (repo / "Packages").write_text("\n".join(entries))


def _configure(made: Tools, root: Path, epoch: int) -> None:
    files = HERE / "files"
    shutil.copytree(files, root, dirs_exist_ok=True, symlinks=True)
    for path in (files, *files.rglob("*")):  # a checkout's rights and times are those of who made it
        there = root / path.relative_to(files)
        there.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(there, (epoch, epoch))
    image = root / "usr/lib/homenode-image"
    shutil.copy(HERE.parent / "homenode-trial", image)
    shutil.copy(HERE / "boot_state.py", image / "boot-state")
    for program in image.iterdir():
        program.chmod(0o755)
    table = (HERE / "files/etc/fstab").read_text().splitlines()
    mounted = [line.split()[1] for line in table if not line.startswith("#")]
    for folder in ("/data", "/boot/firmware", *mounted):
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    (root / "etc/hostname").write_text("homenode\n")
    passwords = root / "etc/shadow"
    passwords.write_text("".join(f"{line}\n" for line in _locked(passwords.read_text().splitlines())))
    systemctl = ["systemctl", "--root=/work/root"]
    made.run(*systemctl, "--quiet", "mask", *MASKED)
    made.run(*systemctl, "--quiet", "enable", *ENABLED)
    made.run(*systemctl, "set-default", "multi-user.target")


def _locked(lines: list[str]) -> Iterator[str]:
    for line in lines:
        name, _, *rest = line.split(":")
        yield ":".join([name, "*", *rest])


def _kernel(made: Tools, root: Path) -> bytes:
    """The kernel; of its modules those of `modules.txt` stay, and what they depend on."""
    (modules,) = (root / "usr/lib/modules").iterdir()
    depends = _depends(modules)
    patterns = [f"kernel/{pattern}" for pattern in words("modules.txt")]
    kept = {module for module in depends if any(fnmatch.fnmatch(module, one) for one in patterns)}
    kept |= {need for module in kept for need in depends[module]}
    for module in depends.keys() - kept:
        (modules / module).unlink()
    made.run("depmod", "-b", "/work/root", modules.name)
    for maker in next((root / "usr/lib").glob("linux-image-*")).iterdir():
        if maker.name not in ("broadcom", "overlays"):
            shutil.rmtree(maker)
    return next((root / "boot").glob("vmlinuz-*")).read_bytes()


def _depends(modules: Path) -> dict[str, list[str]]:
    """Each module's path, and those that it needs, the nearest first."""
    lines = (modules / "modules.dep").read_text().splitlines()
    return {module: needs.split() for module, _, needs in (line.partition(":") for line in lines)}


def unpack(made: Tools, name: str) -> Path:
    """The files of a package of `BESIDE`."""
    newest = max(EXTRA.glob(f"{name}_*.deb"), key=lambda deb: deb.stat().st_mtime)
    shutil.copy(newest, made.work / f"{name}.deb")
    made.run("dpkg-deb", "-x", f"{name}.deb", name)
    return made.work / name


def beside_controls(made: Tools) -> Iterator[Path]:
    """The control files of the packages of which the card has files."""
    for name in BESIDE:
        made.run("dpkg-deb", "-e", f"{name}.deb", f"{name}-control")
        yield made.work / f"{name}-control/control"


def _initrd(made: Tools, root: Path) -> bytes:
    """The first program with its modules, as the kernel unpacks it."""
    folder = made.work / "initrd"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "dev", "proc", "sys", "root", "modules"):
        (folder / name).mkdir(parents=True)
    shutil.copy(unpack(made, "busybox-static") / "usr/bin/busybox", folder / "bin/busybox")
    for name in APPLETS:
        (folder / "bin" / name).symlink_to("busybox")
    shutil.copy(HERE / "init", folder / "init")
    (folder / "init").chmod(0o755)
    order = []
    for name, body in _first_modules(root):
        (folder / "modules" / name).write_bytes(body)
        order.append(f"{name}\n")
    (folder / "modules/order").write_text("".join(order))
    names = "\n".join(sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))) + "\n"
    for path in folder.rglob("*"):
        os.utime(path, (0, 0), follow_symlinks=False)
    archive = made.run(
        "sh", "-c", "cd initrd && cpio --quiet --reproducible -o -H newc -R 0:0", stdin=names.encode()
    )
    return gzip.compress(archive, mtime=0)


def _first_modules(root: Path) -> Iterator[tuple[str, bytes]]:
    """The modules of `initrd-modules.txt` in the order in which they are loaded, decompressed."""
    (modules,) = (root / "usr/lib/modules").iterdir()
    depends, told = _depends(modules), set()
    by_name = {Path(module).name.partition(".")[0].replace("_", "-"): module for module in depends}
    for name in words("initrd-modules.txt"):
        module = by_name.get(name.replace("_", "-"))
        for one in [*reversed(depends[module]), module] if module else []:
            if one not in told:
                told.add(one)
                yield Path(one).name.removesuffix(".xz"), lzma.decompress((modules / one).read_bytes())
