"""The acceptance report on paper: what was found, who tested it, and what hangs in which room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fpdf import FPDF
from fpdf.fonts import FontFace

from homenode.install.view import lack_in_words, want_in_words
from homenode.install.words import say
from homenode.kinds import kind_of

GREEN, RED, GREY = (0, 110, 60), (180, 20, 20), (105, 105, 105)
SMALL, NORMAL, HEAD = 8, 9.5, 17


class _Page(FPDF):
    """A4 with the home, the time and the page's number below each."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self._foot = foot
        self.core_fonts_encoding = "cp1252"
        self.set_margins(14, 14, 14)
        self.set_auto_page_break(True, 16)

    def footer(self) -> None:
        self.set_y(-11)
        self.set_font("Helvetica", size=7)
        self.set_text_color(*GREY)
        self.cell(0, 4, _letters(f"{self._foot}  ·  {self.page_no()}/{{nb}}"), align="C")


def paper(report: Mapping[str, Any], language: str) -> bytes:
    """The PDF of `homenode.install.report.contents` with its ``key``."""

    def word(key: str, **more: object) -> str:
        return say(key, language, **more)

    page = _Page(f"{report['home']}  ·  {report['at'][:19].replace('T', ' ')}")
    page.set_title(f"{word('report')} {report['home']}")
    page.set_creator(f"homenode {report['homenode']}")
    page.set_lang(language)
    page.add_page()
    _line(page, word("report"), HEAD, bold=True)
    _line(page, f"{word('home')}: {report['home']}", NORMAL + 1)
    span = f"{report['begun'][:16].replace('T', ' ')} – {report['at'][:16].replace('T', ' ')}"
    _line(page, f"{word('tested')}: {span}   {word('by')}: {report['by']}", NORMAL)
    if report["clock"] != "trusted":
        _line(page, word("clock_untrusted"), NORMAL, colour=RED)
    page.ln(2)
    if report["accepted"]:
        _line(page, word("accepted"), 13, bold=True, colour=GREEN)
    else:
        _line(page, word("not_accepted"), 13, bold=True, colour=RED)
        for lack in report["lacks"]:
            _line(page, "– " + lack_in_words(lack["sort"], lack["name"], language), NORMAL, colour=RED)
    page.ln(2)
    _sensors(page, report["devices"], language)
    _alerts(page, report["rules"], language)
    _floor(page, report["devices"], language)
    page.ln(3)
    _line(page, word("signed", fingerprint=report["key"]), SMALL, colour=GREY)
    if report["link_certificate"]:
        _line(page, word("signed_link", fingerprint=report["link_certificate"]), SMALL, colour=GREY)
    _line(page, word("not_certified"), SMALL, colour=GREY)
    return bytes(page.output())


def _letters(text: str) -> str:
    """The letters that the PDF's own fonts have; any other is shown as ?, and is whole in the JSON."""
    return text.encode("cp1252", "replace").decode("cp1252")


def _line(
    page: FPDF,
    text: str,
    size: float,
    *,
    bold: bool = False,
    colour: tuple[int, int, int] = (0, 0, 0),
) -> None:
    page.set_font("Helvetica", "B" if bold else "", size)
    page.set_text_color(*colour)
    page.multi_cell(0, size * 0.48, _letters(text), align="L", new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(0, 0, 0)


def _table(
    page: FPDF,
    heads: Sequence[str],
    widths: Sequence[int],
    rows: Sequence[tuple[bool | None, Sequence[str]]],
) -> None:
    page.set_font("Helvetica", size=SMALL)
    page.set_draw_color(200, 200, 200)
    style = FontFace(emphasis="BOLD", fill_color=(240, 240, 240))
    with page.table(
        col_widths=tuple(widths),
        headings_style=style,
        line_height=4.2,
        borders_layout="HORIZONTAL_LINES",
        text_align="LEFT",
    ) as table:
        head = table.row()
        for text in heads:
            head.cell(_letters(text))
        for passed, cells in rows:
            row = table.row()
            for nth, text in enumerate(cells):
                verdict = nth == len(cells) - 1 and passed is not None
                colour = (GREEN if passed else RED) if verdict else (0, 0, 0)
                row.cell(_letters(text), style=FontFace(color=colour, emphasis="BOLD" if verdict else None))
    page.ln(3)


def _sensors(page: FPDF, devices: Sequence[Mapping[str, Any]], language: str) -> None:
    _line(page, say("sensors", language), 12, bold=True)
    rows = []
    for one in _by_room(devices):
        seen = [_seen(check, language) for check in one["checks"]]
        more = [one["trouble"], one["remark"] and f"{say('remark', language)}: {one['remark']}"]
        verdict = say("passed" if one["passed"] else "untested", language)
        rows.append(
            (
                bool(one["passed"]),
                (
                    one["room"],
                    one["device"],
                    one["called"][language],
                    "; ".join(text for text in (*seen, *more) if text) or say("nothing_to_test", language),
                    _clock(one["at"]),
                    verdict,
                ),
            )
        )
    heads = [say(key, language) for key in ("room", "name", "what", "seen", "time", "result")]
    _table(page, heads, (22, 28, 34, 58, 18, 22), rows)


def _seen(check: Mapping[str, Any], language: str) -> str:
    """``rörelse: utlöst``, ``öppen; saknas: stängd``: a state with words of its own needs no other."""
    words = {want: want_in_words(check["kind"], want, language) for want in check["wants"]}
    seen = ", ".join(word for want, word in words.items() if want in check["seen"])
    missing = ", ".join(word for want, word in words.items() if want not in check["seen"])
    kind = kind_of(check["kind"])
    itself = kind is not None and kind.true_word and "works" not in words
    found = seen if itself or not seen else f"{check['called'][language]}: {seen}"
    lacks = f"{say('missing', language)}: {missing}" if missing else ""
    failed = say("did_nothing", language) if check.get("failed") else ""
    return "; ".join(part for part in (found or check["called"][language], failed or lacks) if part)


def _alerts(page: FPDF, rules: Sequence[Mapping[str, Any]], language: str) -> None:
    _line(page, say("alerts", language), 12, bold=True)
    rows: list[tuple[bool | None, Sequence[str]]] = []
    for rule in rules:
        for party, told in rule["parties"].items() or [("–", {})]:
            answered = f"{_clock(told['acknowledged'])} {told['by']}" if told.get("acknowledged") else "–"
            if told.get("test") and told.get("with_broker") and told.get("acknowledged"):
                passed, verdict = True, say("passed", language)
            elif rule["at_once"] and rule["parties"]:
                passed, verdict = False, say("untested", language)
            else:
                passed, verdict = None, say("takes_time" if rule["parties"] else "stays_home", language)
            sent = f"{_clock(told['sent'])}{' TEST' if told['test'] else ''}" if told.get("sent") else "–"
            got = _clock(told["with_broker"]) if told.get("with_broker") else "–"
            party = say(f"party_{party}", language) if party != "–" else party
            rows.append((passed, (rule["rule"], party, sent, got, answered, verdict)))
    heads = [say(key, language) for key in ("rule", "party", "sent", "arrived", "acknowledged", "result")]
    _table(page, heads, (38, 26, 26, 22, 40, 30), rows)


def _floor(page: FPDF, devices: Sequence[Mapping[str, Any]], language: str) -> None:
    """What hangs where: the list that somebody takes along who looks for it later."""
    _line(page, say("floor", language), 12, bold=True)
    rows: list[tuple[bool | None, Sequence[str]]] = []
    for one in _by_room(devices):
        lqi, battery = one["link_quality"], one["battery"]
        link = say("link_" + one["link"], language)
        rows.append(
            (
                None,
                (
                    one["room"],
                    one["device"],
                    ", ".join(text for text in (one["called"][language], one["is"]) if text),
                    ", ".join(text for text in (one["model"], one["address"]) if text),
                    link if lqi is None else f"{lqi:.0f} ({link})",
                    "–" if battery is None else f"{battery:g} %",
                ),
            )
        )
    heads = [say(key, language) for key in ("room", "name", "what", "model", "link", "battery")]
    _table(page, [head[:1].upper() + head[1:] for head in heads], (18, 28, 34, 68, 19, 15), rows)


def _by_room(devices: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """As somebody goes through the flat, not as they were paired."""
    rooms = list(dict.fromkeys(one["room"] for one in devices))
    return sorted(devices, key=lambda one: rooms.index(one["room"]))


def _clock(at: str) -> str:
    return at[11:19]
