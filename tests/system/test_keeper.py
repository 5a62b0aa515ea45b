"""The lamp of a look is off also when the gateway was killed and nobody starts it again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.gpio import put_out
from tests.system.brokers import needs_mosquitto
from tests.system.looks import Flat, flat, until
from tests.system.nodes import PATIENCE_S

pytest.importorskip("pigpio", reason="the extra gpio is not installed")
pytestmark = needs_mosquitto


ASKS = """
#include <linux/gpio.h>
#include <stdio.h>
int main(void) {
  struct gpio_v2_line_request asked = {
    .offsets = {22}, .consumer = "homenode", .num_lines = 1,
    .config = {.flags = GPIO_V2_LINE_FLAG_OUTPUT, .num_attrs = 1,
               .attrs = {{{.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, .values = 1}, .mask = 1}}},
  };
  printf("%lu\\n", (unsigned long)GPIO_V2_GET_LINE_IOCTL);
  return fwrite(&asked, sizeof asked, 1, stdout) != 1;
}
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Flat]:
    with flat(tmp_path) as made:
        yield made


def test_a_gateway_that_is_killed_leaves_the_lamp_off_and_no_process(home: Flat) -> None:
    with home.run() as node:
        home.look()
        assert (home.lit(), len(home.keepers())) == ((True, True), 1)
        node.kill()
        home.dark(1.5)
        until(lambda: not home.keepers(), PATIENCE_S, home.seen)


def test_a_look_that_ends_in_order_leaves_no_keeper(home: Flat) -> None:
    with home.run():
        look = home.look()
        home.asked(session=look["session"], end=True)
        home.dark()
        until(lambda: not home.keepers(), PATIENCE_S, home.seen)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_lamp_on_a_pin_of_the_kernels_is_asked_for_in_its_own_words(tmp_path: Path) -> None:
    """There is no gpiochip here: the request is what a C compiler makes of the kernel's header."""
    source, program = tmp_path / "asks.c", tmp_path / "asks"
    source.write_text(ASKS)
    subprocess.run(["cc", "-o", program, source], check=True)
    number, asked = subprocess.run([program], capture_output=True, check=True).stdout.split(b"\n", 1)
    assert int(number) == put_out._GET_LINE
    assert asked == put_out._LINE.pack(22, b"homenode", put_out._OUTPUT, 1, put_out._VALUES, 1, 1, 1, 0, 0)
