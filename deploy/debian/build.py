"""``make deb``: the Debian package of a node, for each architecture named.

Nothing of that architecture is run: wheels are laid out and compiled to byte code by the Python of the tools'
root, which is of the node's own Debian release, and its debhelper makes the package.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from deploy.image.tools import CACHE, PYTHON, REPOSITORY, Tools, tools

HERE = Path(__file__).resolve().parent
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
"""Debian's word for an architecture, and that of wheels."""
GLIBC = 41
"""Trixie's C library is 2.41; wheels say the oldest one that they can do with."""
OF_OTHERS = ("homenode-console.", "homenode-listen.", "homenode-office.")
"""Units in deploy/ that no node has."""


def main(argv: list[str] | None = None) -> int:
    """Make them; print where they are."""
    parser = argparse.ArgumentParser(description="make the Debian package of a node")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "dist", help="folder for the packages")
    parser.add_argument("arch", nargs="*", help="arm64, amd64; both if absent")
    args = parser.parse_args(argv)
    if odd := set(args.arch) - MACHINES.keys():
        parser.error(f"no architecture of a node: {', '.join(sorted(odd))}")
    version, epoch = version_of(REPOSITORY)
    args.out.mkdir(parents=True, exist_ok=True)
    made = tools()
    for arch in args.arch or MACHINES:
        print(build(made, arch, version, epoch, args.out))
    return 0


def version_of(repository: Path) -> tuple[str, int]:
    """Version of what stands in the working tree, and the Unix time of its commit."""
    declared = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["version"]
    commit, seconds = _git(repository, "log", "-1", "--abbrev=7", "--format=%h %ct").split()
    changed = ".changed" if _git(repository, "status", "--porcelain", "--untracked-files=no") else ""
    when = datetime.fromtimestamp(int(seconds), UTC)
    return f"{declared}+{when:%Y%m%d.%H%M%S}.g{commit}{changed}", int(seconds)


def build(made: Tools, arch: str, version: str, epoch: int, out: Path) -> Path:
    """One package. Raises subprocess.CalledProcessError."""
    place = made.work / f"deb-{arch}"
    shutil.rmtree(place, ignore_errors=True)
    _lay_out(place / "homenode", fetched(arch), version, epoch)
    within = (
        f"umask 022; cd deb-{arch}/homenode; dpkg-buildpackage -us -uc -b -d --host-arch {arch} >../log 2>&1"
    )
    try:
        made.run("sh", "-c", within, env={"SOURCE_DATE_EPOCH": str(epoch)})
    except subprocess.CalledProcessError:
        print((place / "log").read_text()[-4000:], file=sys.stderr)
        raise
    (package,) = place.glob("*.deb")
    kept = Path(shutil.copy2(package, out))
    shutil.rmtree(place)
    return kept


def lock_of(arch: str) -> Path:
    """The file that lists its wheels."""
    return HERE / f"wheels.{arch}.lock"


def fetched(arch: str) -> Path:
    """The folder with the wheels of the lock, no others, each with the hash that stands there."""
    folder, lock = CACHE / "wheels" / arch, lock_of(arch)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock.read_text()))
    have = _digests(folder)
    if not wanted <= have.keys():
        download = [
            *pip_download(arch),
            "--dest",
            str(folder),
            "--require-hashes",
            "--requirement",
            str(lock),
        ]
        subprocess.run(download, check=True)
        have = _digests(folder)
    for digest in have.keys() - wanted:
        have[digest].unlink()
    return folder


def _digests(folder: Path) -> dict[str, Path]:
    return {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in folder.glob("*.whl")}


def pip_download(arch: str) -> list[str]:
    """The command that downloads wheels for a node of this architecture, without what they depend on."""
    tags = [f"manylinux_2_{minor}" for minor in range(GLIBC, 16, -1)] + ["manylinux2014"]
    return [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary", ":all:", "--python-version", PYTHON, "--implementation", "cp",
        "--abi", f"cp{PYTHON.replace('.', '')}", "--abi", "abi3", "--abi", "none",
        *(word for tag in tags for word in ("--platform", f"{tag}_{MACHINES[arch]}")),
    ]  # fmt: skip


def node_units(deploy: Path) -> list[Path]:
    """Every systemd unit in deploy/ that is a node's."""
    units = (file for kind in ("service", "socket", "timer", "path") for file in deploy.glob(f"*.{kind}"))
    return sorted(unit for unit in units if not unit.name.startswith(OF_OTHERS))


def _lay_out(place: Path, wheels: Path, version: str, epoch: int) -> None:
    """What debhelper is given: this folder, also as debian/; the wheels, the source, the units."""
    for name in ("debian", "deploy/debian"):
        shutil.copytree(
            HERE, place / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy
        )  # without the checkout's times: those before the commit's would stay
    shutil.copytree(wheels, place / "wheels")
    for name in _git(
        REPOSITORY, "ls-files", "homenode", "drivers", "rules", "hardware", "LICENSE", "README.md"
    ).split("\n"):
        (place / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, place / "source" / name)
    for name, saying in (("pyproject.toml", "version"), ("homenode/__init__.py", "__version__")):
        text = (REPOSITORY / name).read_text()
        text, found = re.subn(rf'(?m)^{saying} = ".*"$', f'{saying} = "{version}"', text)
        assert found == 1, f"{name}: no {saying}"
        (place / "source" / name).write_text(text)
    deploy = REPOSITORY / "deploy"
    for folder, files in (("units", node_units(deploy)), ("rules.d", sorted(deploy.glob("*.rules")))):
        (place / folder).mkdir()
        for file in files:
            shutil.copy(file, place / folder / file.name)
    maintainer = re.search(r"(?m)^Maintainer: (.*)$", (HERE / "control").read_text())
    assert maintainer
    (place / "debian/changelog").write_text(
        f"homenode ({version}) trixie; urgency=medium\n\n  * See CHANGELOG.md of this version.\n\n"
        f" -- {maintainer[1]}  {format_datetime(datetime.fromtimestamp(epoch, UTC))}\n"
    )


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(repository), *words], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
