"""The home speaks: by the real espeak-ng and aplay, into ALSA's file plugin; who is told when it can't."""

from __future__ import annotations

import array
import asyncio
import math
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

from homenode.delivery import Say
from homenode.driver import Host
from homenode.errors import Refused
from homenode.gateway.node import Node
from tests.system.brokers import Mosquitto, needs_mosquitto
from tests.system.loudspeakers import HEAD, Loudspeaker, needs_voice
from tests.system.node_inside import HOME, Panel, node_inside, panel, quiet, until, written
from tests.system.nodes import NodeProcess

RULE = """
rule: {name}
version: 1
severity: {severity}
to: []
roles:
  door: {{kind: contact}}
when: door == open
steps:
  - {{after: 0 s, do: say, text: {{sv: "{sv}", en: "{en}"}}}}
says: {{en: "The door is open"}}
"""
DOOR_SV, DOOR_EN = "Ytterdörren står öppen.", "The front door has been left open."


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loudspeaker:
    speaker = Loudspeaker(tmp_path / "speaker")
    for name, value in speaker.env.items():
        monkeypatch.setenv(name, value)
    return speaker


def a_home(folder: Path, *severities: str, more: str = "") -> str:
    """home.yaml with a rule of each severity that speaks when the door opens."""
    (folder / "rules").mkdir(exist_ok=True)
    for severity in severities:
        text = RULE.format(name=severity, severity=severity, sv=f"{DOOR_SV} {severity}.", en=DOOR_EN)
        (folder / "rules" / f"{severity}.yaml").write_text(text)
    uses = ", ".join(f"{{use: {severity}, bind: {{door: door.contact}}}}" for severity in severities)
    return HOME + f"rules: [{uses}]\n" + more


async def opens(host: Host) -> None:
    host.heard("door", "contact", True)


async def says(node: Node, rule: str = "door", alert: str = "a1", **text: str) -> None:
    """One sentence of an alert, to its end."""
    begins(node, rule, alert, **text)
    await until(lambda: not node.actions.unfinished, "the end of the sentence")


def begins(node: Node, rule: str, alert: str, **text: str) -> None:
    """A sentence of an alert that nobody waits for."""
    sentence = Say(text, alert, 1, 0, rule)
    node.actions.expect([sentence])
    node.actions.do(sentence)


def by_espeak(text: str, language: str, *more: str) -> bytes:
    """Samples of a text as the synthesiser makes them when it is asked directly."""
    words = ["espeak-ng", "-v", language, "-s", "140", "-a", "200", *more, "--stdout", text]
    return subprocess.run(words, capture_output=True, check=True).stdout[HEAD:]


def a_recording(file: Path, length_s: float = 0.7) -> bytes:
    """A WAV file as a phone or an editor makes it, with a chunk of text before the sound; its samples."""
    values = [round(9000 * math.sin(n * 0.05) * math.sin(n * 0.0003)) for n in range(int(16_000 * length_s))]
    samples = array.array("h", values).tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    about = struct.pack("<4sI", b"LIST", 9) + b"by Karin!\0"
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    body = b"WAVE" + form + about + data
    file.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    return samples


def a_program(folder: Path, name: str, script: str) -> str:
    """A folder to put before PATH, with a program in it."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@needs_voice
def test_what_a_rule_says_comes_out_of_the_loudspeaker_whole(tmp_path: Path, speaker: Loudspeaker) -> None:
    async def play() -> None:
        home = a_home(tmp_path, "warning")
        async with node_inside(tmp_path, panel(lambda host: Panel(host, opens)), home=home) as node:
            await until(lambda: node.actions.voice.said, "the sentence")
            status = await node.requests.answer({"do": "status"})
            (said,) = status["voice"]["said"]
            assert (said["text"], said["rule"], said["heard"], said["why"]) == (DOOR_EN, "warning", True, "")
            assert status["faults"] == []

    asyncio.run(play())
    (heard,) = speaker.heard()
    assert heard.samples.startswith(expected := by_espeak(DOOR_EN, "en"))
    assert len(expected) / 44_100 <= heard.length_s < len(expected) / 44_100 + 0.13
    assert 1.0 < heard.length_s < 6.0
    assert heard.rms > 1000, "somebody old can hear it"


@needs_voice
def test_it_speaks_the_language_that_home_yaml_has_now_and_a_text_in_its_own(
    tmp_path: Path, speaker: Loudspeaker
) -> None:
    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet))) as node:
            await says(node, sv=DOOR_SV, en=DOOR_EN)
            home = HOME.replace("language: en", "language: sv")
            node.home.path.write_text(home + "voice: {volume: 40, rate: 110}\n")
            await node.requests.reload()
            await says(node, sv=DOOR_SV, en=DOOR_EN)
            await says(node, en=DOOR_EN)

    asyncio.run(play())
    first, second, third = speaker.heard()
    slow_and_low = ("-s", "110", "-a", "80")
    assert first.samples.startswith(by_espeak(DOOR_EN, "en"))
    assert second.samples.startswith(by_espeak(DOOR_SV, "sv", *slow_and_low))
    assert third.samples.startswith(by_espeak(DOOR_EN, "en", *slow_and_low))
    assert third.rms < first.rms / 2


@needs_voice
def test_a_rules_own_recording_is_played_as_it_is_and_one_that_cant_be_is_spoken(
    tmp_path: Path, speaker: Loudspeaker
) -> None:
    (tmp_path / "karin").mkdir()
    samples = a_recording(tmp_path / "karin" / "door.1.sv.wav")
    (tmp_path / "karin" / "torn.1.sv.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    odd = bytearray((tmp_path / "karin" / "door.1.sv.wav").read_bytes())
    odd[34] = 7  # bits a sample: aplay refuses it
    (tmp_path / "karin" / "odd.1.sv.wav").write_bytes(odd)
    home = HOME.replace("language: en", "language: sv") + "voice: {recordings: karin}\n"

    async def play() -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            for rule in ("door", "torn", "odd", "other"):
                await says(node, rule, sv=DOOR_SV, en=DOOR_EN)
            assert [one.why_not for one in node.actions.voice.said] == [""] * 4
            assert not node.judge.troubled

    asyncio.run(play())
    own, *spoken = speaker.heard()
    assert own.samples[: len(samples)] == samples
    assert 0.7 <= own.length_s < 0.9
    assert [one.samples.startswith(by_espeak(DOOR_SV, "sv")) for one in spoken] == [True] * 3


@needs_voice
def test_without_a_sound_device_there_is_a_fault_before_the_first_alert_until_there_is_one(
    tmp_path: Path, speaker: Loudspeaker
) -> None:
    speaker.unplug()

    async def play() -> None:
        home = a_home(tmp_path, "alarm")
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            await until(lambda: "voice" in node.judge.troubled, "the fault")
            _, told = node.judge.troubled["voice"]
            assert told["sv"].startswith("det som sägs i hemmet hörs inte: ljudenheten default tar inte emot")
            assert told["en"].startswith(
                "what is said in the home can't be heard: sound device default takes"
            )
            status = await node.requests.answer({"do": "status"})
            assert [fault["source"] for fault in status["faults"]] == ["voice"]
            assert "voice: {device: none}" in status["voice"]["trouble"], "what an installer can do"
            with pytest.raises(Refused, match="takes no sound"):
                await node.requests.answer({"do": "say", "text": "Hello"})
            begins(node, "alarm", "a1", en=DOOR_EN)
            await until(lambda: node.actions.voice.speaks, "the first try")
            await until(lambda: not node.actions.voice.speaks, "its end")
            speaker.plug_in()
            await until(lambda: not node.actions.unfinished, "the sentence, late")
            assert "voice" not in node.judge.troubled
            assert await node.requests.answer({"do": "say", "text": "Hello"}) == "said"

    asyncio.run(play())
    alarm, hello = speaker.heard()
    assert alarm.samples.startswith(by_espeak(DOOR_EN, "en"))
    assert hello.samples.startswith(by_espeak("Hello", "en"))
    assert [record["source"] for record in written(tmp_path, "fault", "well")] == ["voice", "voice"]


def test_what_is_not_installed_is_a_fault_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    async def play() -> None:
        home = a_home(tmp_path, "warning")
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            await until(lambda: "voice" in node.judge.troubled, "the fault")
            assert node.actions.voice.trouble == "espeak-ng is not installed (apt install espeak-ng)"
            node.home.path.write_text(home + "voice: {device: none}\n")
            await node.requests.reload()
            await until(lambda: "voice" not in node.judge.troubled, "the end of the fault")

    asyncio.run(play())


def test_a_home_that_says_nothing_or_has_no_loudspeaker_has_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    async def play(home: str, *said: str) -> None:
        async with node_inside(tmp_path, panel(lambda host: Panel(host, opens)), home=home) as node:
            voice = node.actions.voice
            await until(lambda: voice.looked, "a look")
            await until(lambda: len(voice.said) == len(said), "what is said")
            assert [one.why_not for one in voice.said] == list(said)
            assert not node.judge.troubled

    asyncio.run(play(HOME))
    asyncio.run(
        play(a_home(tmp_path, "alarm", more="voice: {device: none}\n"), "this home has no loudspeaker")
    )


@needs_voice
@pytest.mark.parametrize("program", ["espeak-ng", "aplay"])
def test_a_program_that_hangs_is_killed_and_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speaker: Loudspeaker, program: str
) -> None:
    pid = tmp_path / "pid"
    hangs = f"echo $$ >> {pid}; exec sleep 3600"
    monkeypatch.setenv("PATH", a_program(tmp_path / "bin", program, hangs))
    monkeypatch.setattr("homenode.gateway.speaker.SYNTHESIS_S", 1.0)
    monkeypatch.setattr("homenode.gateway.speaker.MARGIN_S", 1.0)

    async def play() -> None:
        home = a_home(tmp_path, "warning")
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            await until(lambda: "voice" in node.judge.troubled, "the fault")
            assert f"{program} hangs" in node.judge.troubled["voice"][1]["en"]

    asyncio.run(play())
    for number in pid.read_text().split():
        assert not Path(f"/proc/{number}").exists()


@needs_voice
def test_an_alarm_comes_first_and_breaks_into_what_is_no_alarm_and_anything_into_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aplay is one that takes a while, as a real loudspeaker does."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = f"touch {tmp_path}/began; cat > /dev/null; read go < {gate}"
    monkeypatch.setenv("PATH", a_program(tmp_path / "bin", "aplay", slow))
    texts = {"info": "Take your pills.", "warning": "The window is open.", "alarm": "The stove is on."}

    async def lets_one_end() -> None:
        await asyncio.to_thread(gate.write_text, "go\n")

    async def play() -> None:
        home = a_home(tmp_path, *texts)
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            voice = node.actions.voice
            await until((tmp_path / "began").exists, "the look at the start")
            begins(node, "info", "a1", en=texts["info"])
            await until(lambda: voice.speaks == texts["info"], "the reminder")
            begins(node, "warning", "a2", en=texts["warning"])
            begins(node, "alarm", "a3", en=texts["alarm"])
            await until(lambda: voice.speaks == texts["alarm"], "the alarm")
            for ended in range(1, 4):
                await lets_one_end()
                await until(lambda: len(voice.said) == ended, "an end")  # noqa: B023 - waited for here
            assert [one.text for one in voice.said] == [texts["alarm"], texts["warning"], texts["info"]]
            assert [one.why_not for one in voice.said] == [""] * 3
            assert not node.judge.troubled

    asyncio.run(play())


@needs_voice
def test_an_installer_tries_the_loudspeaker_and_sees_what_was_said(tmp_path: Path) -> None:
    speaker = Loudspeaker(tmp_path / "speaker")
    home = tmp_path / "home.yaml"
    home.write_text("home: a-1\ntimezone: UTC\nlanguage: sv\nclock: {trust: always}\ndevices: {}\n")
    with NodeProcess(home, tmp_path / "data", env=speaker.env) as node:
        node.until("ready")
        assert node.ask("say", "Hej, hör du mig?").stdout == "said\n"
        assert node.ask("say", "Hello", "--language", "en").returncode == 0
        speaker.unplug()
        refused = node.ask("say", "Hej igen")
        assert refused.returncode == 1
        assert "not heard: sound device default takes no sound" in refused.stderr
        shown = node.ask("status").stdout
        assert re.search(r"^said \d{4}-.*: Hello$", shown, re.MULTILINE)
        assert re.search(r"^not said .*: Hej igen \(sound device", shown, re.MULTILINE)
        assert "voice  not heard: sound device default takes no sound" in shown
        assert "\nfault" not in shown, "no rule says anything"
        assert node.stop() == 0
    first, second = speaker.heard()
    assert first.samples.startswith(by_espeak("Hej, hör du mig?", "sv"))
    assert second.samples.startswith(by_espeak("Hello", "en"))


@needs_mosquitto
def test_a_lost_link_is_said_at_home_once_and_that_it_is_back(tmp_path: Path, speaker: Loudspeaker) -> None:
    async def play() -> None:
        broker = Mosquitto(tmp_path / "broker").start()
        link = f'broker: {{url: "mqtt://127.0.0.1:{broker.port}", lost: {{after: 10 s}}}}\n'
        home = a_home(tmp_path, "info", more=link)
        async with node_inside(tmp_path, panel(lambda host: Panel(host, quiet)), home=home) as node:
            await until(lambda: node.uplink.link and node.uplink.link.state.online, "the link")
            broker.kill()
            await until(lambda: node.actions.voice.said, "that it is lost", 25)
            broker.start()
            await until(lambda: len(node.actions.voice.said) == 2, "that it is back", 25)
            told = [(one.text, one.why_not) for one in node.actions.voice.said]
            assert told == [
                ("Alarms do not get through at the moment. Phone if you need help.", ""),
                ("Alarms get through again.", ""),
            ]
        broker.kill()

    asyncio.run(play())
    assert len(speaker.heard()) == 2
