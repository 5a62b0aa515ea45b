"""What becomes of a picture: verdicts, enhancement, views, masks, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the extra video is not installed")

import av

from homenode.video.darkness import Enhancement
from homenode.video.judge import FROZEN_MS, LASTS_MS, Judge
from homenode.video.looks import Looks, Step
from homenode.video.picture import BLACK, NO_COLOUR, Picture, empty, planes
from homenode.video.scene import Dark, Scene, in_the_dark
from homenode.video.stamp import stamp
from homenode.video.views import Levels, Masks, Silhouette, blurred
from homenode.video.words import Unfit

WIDE, HIGH = 640, 480
EACH_MS = 66


def _film(count: int, *, night: bool = False) -> list[Picture]:
    scene = Scene(WIDE, HIGH, night=night)
    return [scene.at(nth * EACH_MS) for nth in range(count)]


def _verdicts(pictures: list[Picture], each_ms: int = EACH_MS) -> list[str | None]:
    judge = Judge(predicted=False)
    return [judge.seen(picture, nth * each_ms) for nth, picture in enumerate(pictures)]


def test_a_scene_by_day_and_by_night_is_nothing_to_warn_of() -> None:
    assert set(_verdicts(_film(60))) == {None}
    assert set(_verdicts(_film(60, night=True))) == {None}


def test_black_is_told_when_it_lasts() -> None:
    verdicts = _verdicts([empty(WIDE, HIGH)] * 60)
    assert verdicts.index("black") == -(-LASTS_MS // EACH_MS)


def test_a_frozen_picture_is_told_after_some_seconds_and_forgotten_when_it_moves() -> None:
    still, moving = _film(1) * 100, _film(3)
    verdicts = _verdicts([*still, *moving[1:]])
    assert verdicts.index("frozen") == -(-FROZEN_MS // EACH_MS)
    assert verdicts[-1] is None


def test_one_point_of_noise_is_a_living_picture() -> None:
    room = _film(1)[0]
    film = [room.copy() for _ in range(100)]
    for nth, picture in enumerate(film):
        picture[200, 320] = nth
    assert "frozen" not in _verdicts(film)


def _encoded(film: list[Picture], *, kbit: int = 500) -> list[Picture]:
    """As a network camera sends them, a whole picture each 2 s."""
    codec, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = WIDE, HIGH, "yuv420p", Fraction(1, 15)
    codec.bit_rate, codec.options = kbit * 1000, {"preset": "superfast", "tune": "zerolatency", "g": "30"}
    pictures = []
    for nth, picture in enumerate(film):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = nth
        pictures += [one.to_ndarray() for packet in codec.encode(frame) for one in decoder.decode(packet)]
    return pictures


def test_a_network_camera_that_is_frozen_is_told_from_one_that_films_a_still_room() -> None:
    room, chance = _film(1)[0], np.random.default_rng(1)
    live = [room.copy() for _ in range(100)]
    for picture in live:
        luma = planes(picture)[0]
        luma[:] = (luma + chance.normal(0, 0.7, luma.shape)).round()
    for film, verdict in ((live, None), ([room] * 100, "frozen")):
        judge = Judge(predicted=True)
        assert [judge.seen(picture, nth * EACH_MS) for nth, picture in enumerate(_encoded(film))][
            -1
        ] == verdict


def test_noise_is_no_room_but_a_noisy_room_is_one() -> None:
    chance = np.random.default_rng(1)
    noise = [chance.integers(0, 255, (HIGH * 3 // 2, WIDE), np.uint8) for _ in range(40)]
    assert _verdicts(noise)[-1] == "garbage"
    noisy = [picture.copy() for picture in _film(40)]
    for picture in noisy:
        luma = planes(picture)[0]
        luma[:] = (luma + chance.normal(0, 40, luma.shape)).clip(0, 255)
    assert "garbage" not in _verdicts(noisy)


def test_what_no_decoder_reads_is_garbage_when_it_is_most() -> None:
    judge, film = Judge(predicted=False), _film(1)
    assert [judge.unreadable(at_ms) for at_ms in range(0, 2100, 100)][-1] == "garbage"
    judge = Judge(predicted=False)
    for at_ms in range(0, 4000, 100):
        now = judge.unreadable(at_ms) if at_ms % 400 == 0 else judge.seen(film[0], at_ms)
        assert now is None


def _psnr(one: Picture, other: Picture) -> float:
    """Of shapes, not of brightness: both with the same mean and spread."""
    a, b = (picture.astype(float) for picture in (one, other))
    b = (b - b.mean()) / b.std() * a.std() + a.mean()
    return float(10 * np.log10(255**2 / ((a - b) ** 2).mean()))


def test_more_is_seen_in_the_dark_and_nobody_leaves_a_ghost() -> None:
    bright, dark = _film(60), _film(60, night=True)
    enhancement = Enhancement(contrast=False)
    seen = [enhancement.of(picture.copy()) for picture in dark]
    rows = slice(0, HIGH - 32)  # without the strip
    truth, raw, better = (planes(film[-1])[0][rows] for film in (bright, dark, seen))
    assert _psnr(truth, better) > _psnr(truth, raw) + 6
    assert 70 < better.mean() < 130
    # Where somebody was half a second ago, the room is as bright as where nobody was.
    then, now = planes(bright[-9])[0][rows].astype(int), planes(bright[-1])[0][rows].astype(int)
    room = np.maximum(*(planes(bright[nth])[0][rows].astype(int) for nth in (0, -1)))
    left = (then < 60) & (now > 60)
    assert left.sum() > 2000
    near = (abs(room - now[left].mean()) < 10) & (now == room)
    assert abs(better[left].mean() - better[near].mean()) < 8


def test_light_is_left_as_it_is() -> None:
    picture = _film(1)[0]
    assert (Enhancement().of(picture.copy()) == picture).all()


def test_a_lit_lamp_makes_no_flicker() -> None:
    enhancement, chance, room = Enhancement(), np.random.default_rng(1), _film(1)[0]
    means = []
    for nth in range(60):
        picture = room.copy()
        luma = planes(picture)[0]
        luma[:] = in_the_dark(luma, chance, photons=12 if nth < 30 else 14)
        means.append(planes(enhancement.of(picture))[0].mean())
    assert max(abs(np.diff(means[10:]))) < 15


def test_blurred_has_no_more_than_its_points() -> None:
    chance = np.random.default_rng(1)
    face = chance.integers(16, 235, (HIGH * 3 // 2, WIDE), np.uint8)
    other = face.copy()
    luma = planes(other)[0].reshape(HIGH // 2, 2, WIDE // 2, 2)
    luma[:] = luma[:, ::-1, :, ::-1]  # the same within each two by two, otherwise all different
    one, two = blurred(face), blurred(other)
    assert np.abs(planes(one)[0].astype(int) - planes(two)[0]).max() <= 1


def test_a_silhouette_is_filled_evenly_and_where_somebody_is() -> None:
    view = Silhouette()
    scene = Scene(WIDE, HIGH)
    empty_room = scene._room
    for nth in range(10):
        picture = empty(WIDE, HIGH)
        planes(picture)[0][:] = empty_room
        view(picture, nth * EACH_MS)
    picture = scene.at(2000)
    body = planes(picture)[0] == 45
    shown = planes(view(picture.copy(), 10 * EACH_MS))[0]
    figure = shown == shown.max()
    assert (figure & body).sum() / body.sum() > 0.85
    assert figure.sum() < 3 * body.sum()
    assert len(np.unique(shown)) < 100, "tones and the ways between them"
    assert (picture[HIGH:] == NO_COLOUR).all()


def test_a_silhouette_has_no_more_than_its_points() -> None:
    chance = np.random.default_rng(1)
    face = chance.integers(16, 235, (HIGH * 3 // 2, WIDE), np.uint8)
    other = face.copy()
    luma = planes(other)[0].reshape(HIGH // 8, 8, WIDE // 8, 8)
    luma[:] = luma[:, ::-1, :, ::-1]  # the same within each point, otherwise all different
    one, two = (planes(Silhouette()(picture, 0))[0].astype(int) for picture in (face, other))
    assert np.abs(one - two).max() <= 1


def _shown(lumas: Iterable[Levels]) -> tuple[Silhouette, list[Picture]]:
    view, shown = Silhouette(), []
    for nth, luma in enumerate(lumas):
        picture = empty(WIDE, HIGH)
        planes(picture)[0][:] = luma
        shown.append(planes(view(picture, nth * EACH_MS))[0])
    return view, shown


def _bed(at_s: float = 0, *, body: float = 0) -> Levels:
    """Made, or with somebody in it."""
    down, across = np.mgrid[:HIGH, :WIDE].astype(np.float32)
    bed = 95 + 25 * across / WIDE + 4 * np.sin(across / 13 + down / 29)
    bed[200:430, 150:600] += 30
    bed[200:430, 140:158] = 45
    return bed + 60 * body * (1 - ((across - 400) / 170) ** 2 - ((down - 310) / 60) ** 2).clip(0, 0.05) * 20


@pytest.mark.parametrize("view", [lambda: blurred, Silhouette], ids=["blurred", "silhouette"])
@pytest.mark.parametrize("rows", range(24, 241, 24))
def test_a_head_has_no_face(view: Callable[[], Step], rows: int) -> None:
    """It is shown as if it had no eyes and no mouth, but for one of six tones at its rim."""
    down, across = (
        (at - middle) / rows for at, middle in zip(np.mgrid[:HIGH, :WIDE], (231, 317), strict=True)
    )
    head = (across / 0.38) ** 2 + (down / 0.5) ** 2 < 1
    eyes = ((abs(across) - 0.15) / 0.09) ** 2 + ((down + 0.06) / 0.05) ** 2 < 1
    mouth = (across / 0.14) ** 2 + ((down - 0.27) / 0.04) ** 2 < 1
    shown = []
    for dark in (eyes | mouth, np.zeros_like(head)):
        picture = empty(WIDE, HIGH)
        planes(picture)[0][:] = np.where(dark, 50, np.where(head, 200, _bed()))
        shown.append(planes(view()(picture, 0))[0].astype(int))
    assert np.abs(shown[0] - shown[1]).max() <= 18


def test_who_lies_still_is_seen() -> None:
    dark = Dark(photons=80)
    view, shown = _shown(dark.of(_bed(body=1).astype(np.uint8)) for _ in range(45))
    bed, floor = shown[-1][280:340, 300:500], shown[-1][440:470, 300:500]
    assert bed.mean() > floor.mean() + 30
    assert view.stirred_ms is None


def _whole_pictures(kbit: int) -> Iterator[Levels]:
    """Of a network camera: each sharpens what was guessed before, every 2 s."""
    dark, room = Dark(photons=40), _bed().astype(np.uint8)
    film = [empty(WIDE, HIGH) for _ in range(120)]
    for picture in film:
        planes(picture)[0][:] = dark.of(room)
    yield from (planes(picture)[0] for picture in _encoded(film, kbit=kbit))


def _lit(light: Callable[[float], Any]) -> Iterator[Levels]:
    dark, room = Dark(photons=80), _bed()
    for nth in range(240):
        yield dark.of((room * light(nth * EACH_MS / 1000)).clip(0, 255).astype(np.uint8))


def _wave(hz: float, at_s: float, shift: Any = 0.0) -> Any:
    return np.sin(2 * np.pi * (hz * at_s + shift))


_DOWN, _ACROSS = np.mgrid[:HIGH, :WIDE].astype(np.float32)
_LAMP = np.exp(-((_ACROSS - 320) ** 2 + (_DOWN - 300) ** 2) / 33_800)


@pytest.mark.parametrize(
    "film",
    [
        pytest.param(lambda: _whole_pictures(300), id="whole pictures at 300 kbit/s"),
        pytest.param(lambda: _whole_pictures(1000), id="whole pictures at 1 Mbit/s"),
        pytest.param(lambda: _lit(lambda at_s: 1 + 0.1 * np.sign(_wave(0.3, at_s))), id="exposure hunts"),
        pytest.param(lambda: _lit(lambda at_s: 1 - 0.12 * _LAMP * _wave(0.25, at_s)), id="a lamp pulses"),
        pytest.param(
            lambda: _lit(lambda at_s: 1 - 0.06 * _wave(0.25, at_s, _DOWN / 240)), id="mains beats in bands"
        ),
    ],
)
def test_an_empty_bed_is_shown_empty_and_still(film: Callable[[], Iterator[Levels]]) -> None:
    """All of it as slow as breath, and as strong."""
    view, shown = _shown(film())
    assert view.stirred_ms is None
    assert max(picture.max() for picture in shown) < 140


def test_whoever_walks_through_a_silhouette_leaves_no_trace() -> None:
    view, film = Silhouette(), _film(60, night=True)
    for nth, picture in enumerate(film):
        view(picture, nth * EACH_MS)
    bright = _film(60)
    then, now = (planes(bright[nth])[0] for nth in (40, 59))
    left = (then == 45) & (now != 45)
    left[:, 300:] &= ~(np.roll(now == 45, -40, axis=1) | np.roll(now == 45, 40, axis=1))[:, 300:]
    assert left.sum() > 2000
    assert planes(film[-1])[0][left].mean() < 140
    assert view.stirred_ms == 59 * EACH_MS


def test_a_mask_hides_all_planes_and_its_edge() -> None:
    hidden = Masks([[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]], WIDE, HIGH)
    picture = np.full((HIGH * 3 // 2, WIDE), 200, np.uint8)
    luma, *colours = planes(hidden(picture))
    assert (luma[120:361, 160:481] == BLACK).all()
    assert luma[110, 150] == 200
    for colour in colours:
        assert (colour[60:180, 80:240] == NO_COLOUR).all()


@pytest.mark.parametrize("view", ["silhouette", "blurred", "clear"])
def test_nothing_behind_a_mask_changes_what_is_seen(view: str) -> None:
    chance = np.random.default_rng(1)
    told = {"view": view, "masks": [[[0.5, 0], [1, 0], [1, 1], [0.5, 1]]], "enhance": True}
    shown = []
    for behind in (0, 255):
        looks, film = Looks(told, "h264"), _film(12, night=True)
        for nth, picture in enumerate(film):
            luma = planes(picture)[0]
            luma[:, WIDE // 2 + 1 :] = (
                behind if behind else chance.integers(0, 255, luma[:, WIDE // 2 + 1 :].shape)
            )
            seen = looks.of(picture, nth, nth * EACH_MS)
        shown.append(seen[40:HIGH])  # without the clock
    assert (shown[0] == shown[1]).all()


@pytest.mark.parametrize(
    "told",
    [
        {"view": "naked"},
        {"view": None},
        {"view": "clear", "masks": "all"},
        {"view": "clear", "masks": [[[0, 0], [1, 1]]]},
        {"view": "clear", "masks": [[[0, 0], [1, 1], [0, 2]]]},
        {"view": "clear", "masks": [[[0, 0], [1, 1], [float("nan"), 0]]]},
        {"view": "clear", "masks": [[[0, 0], [1, 1], ["0", 0]]]},
    ],
)
def test_a_view_or_mask_that_is_none_shows_nothing(told: dict[str, object]) -> None:
    with pytest.raises(Unfit):
        Looks(told, "h264")


def test_the_clock_runs_with_each_picture() -> None:
    pictures = [empty(WIDE, HIGH) for _ in range(3)]
    for picture, (told, nth) in zip(
        pictures, [("03:12:45", 0), ("03:12:45", 1), ("03:12:46", 1)], strict=True
    ):
        stamp(picture, [told], nth)
    assert all((one != other).any() for one, other in pairwise(pictures))
    assert (pictures[0][60:] == empty(WIDE, HIGH)[60:]).all()
