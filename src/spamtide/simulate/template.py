"""From a creative to a campaign's template: plain text and HTML as compiled macros.

A sender dresses a creative in its own colours, so that two senders of one advertisement do not send the
same HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spamtide.simulate.macro import Program, compile_macro
from spamtide.simulate.stream import Streams
from spamtide.simulate.words import WORDS
from spamtide.simulate.world import Creative, Sender

PAGE = '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset={$charset}">\n</head>\n'

LAYOUTS: Mapping[str, str] = {
    "note": (
        '<body bgcolor="#FFFFFF">\n<div style="font: %SIZE%px %FONT%">\n%LINES%\n'
        '<p><a href="{$link}">%CALL%</a></p>\n%BUSTER%\n</div>\n</body>\n</html>\n'
    ),
    "banner": (
        '<body>\n<table width="%WIDTH%" align="center" cellpadding="8" cellspacing="0" border="0">\n'
        '<tr><td bgcolor="%COLOUR%" align="center"><a href="{$link}" style="color: #ffffff; font: bold '
        '22px %FONT%; text-decoration: none">%CALL%</a></td></tr>\n'
        '<tr><td style="font: %SIZE%px %FONT%; color: #333333">\n%LINES%\n</td></tr>\n'
        '<tr><td align="center"><a href="{$link}"><b>&raquo; %CALL%</b></a></td></tr>\n'
        "</table>\n%BUSTER%\n</body>\n</html>\n"
    ),
    "image": (
        '<body>\n<center>\n<a href="{$link}"><img src="{$image}" width="%WIDTH%" '
        'height="%HEIGHT%" border="0" alt="%CALL%"></a>\n'
        '<div style="font: %SIZE%px %FONT%; color: #777777">\n%LINES%\n</div>\n'
        '<p><font size="1"><a href="{$link}">%CALL%</a></font></p>\n%BUSTER%\n</center>\n</body>\n</html>\n'
    ),
    "prices": (
        '<body>\n<div style="width: %WIDTH%px; font: %SIZE%px %FONT%">\n%LINES%\n'
        '<table border="1" cellspacing="0" cellpadding="4" bordercolor="%COLOUR%">\n%ROWS%\n</table>\n'
        '<p align="right"><a href="{$link}"><b>%CALL%</b></a></p>\n%BUSTER%\n</div>\n</body>\n</html>\n'
    ),
    "imitation": (
        '<body bgcolor="#EEEEEE">\n<p align="center"><font size="1">If this letter is not shown well, '
        '<a href="{$link}">read it here</a>.</font></p>\n'
        '<table width="%WIDTH%" align="center" bgcolor="#FFFFFF" cellpadding="12" '
        'style="border-top: 6px solid %COLOUR%">\n<tr><td style="font: %SIZE%px %FONT%">\n%LINES%\n'
        '<p><a href="{$link}" style="color: %COLOUR%"><b>%CALL%</b></a></p>\n%BUSTER%\n</td></tr>\n'
        '<tr><td><font size="1" color="#999999">Sent to {$address} because it stands in our list. '
        '<a href="{$base}u?{?digit:6}">Leave the list</a> | <a href="{$base}p">Privacy</a><br>\n'
        "(c) 2010 {@last} and {@last}, {?digit:3} {@plant} {Street|Road|Avenue}</font></td></tr>\n"
        "</table>\n</body>\n</html>\n"
    ),
    "plain": "<body>\n%LINES%\n</body>\n</html>\n",
}
"""HTML around the lines; names between percent signs are filled in once, when the world is made."""

BUSTERS: Mapping[str, tuple[str, str]] = {
    "": ("", ""),
    "words": ("\n\n" + "{@noun} " * 6, '<p><font color="#F4F4F4" size="1">' + "{@noun} " * 6 + "</font></p>"),
    "hidden": ("", '<div style="display: none">' + "{@noun} {@adjective} " * 6 + "</div>"),
    "code": ("\n\n{?alnum:6} {?alnum:8}", '<p><font size="1">{?alnum:6} {?alnum:8}</font></p>'),
    "story": ("\n\n{@story}", "<p>{@story}</p>"),
}
"""What makes every copy differ: in plain text, in HTML."""

FONTS = ("Arial, sans-serif", "Verdana, Geneva", "Tahoma", "Georgia, serif", "'Trebuchet MS', Helvetica")


@dataclass(frozen=True, slots=True)
class Template:
    """What one sender mails for one creative: a campaign."""

    campaign: str
    """'<sender>:<creative>'."""
    programme: str
    subject: Program
    text: Program
    html: Program
    path: Program
    linked: bool
    """Whether there is a link."""


def make_template(sender: Sender, creative: Creative, streams: Streams) -> Template:
    """Dress a creative for a sender and compile it."""
    dice = streams.dice("dress", sender.name, creative.name)
    dress = {
        "SIZE": str(dice.between(11, 16)),
        "FONT": dice.pick(FONTS),
        "WIDTH": str(dice.between(22, 34) * 20),
        "HEIGHT": str(dice.between(12, 24) * 20),
        "COLOUR": f"#{dice.number(0xFFFFFF):06X}",
        "LINES": "\n".join(f"<p>{line}</p>" for line in creative.lines),
        "ROWS": "\n".join(f"<tr><td>{row.replace(', ', '</td><td>', 1)}</td></tr>" for row in creative.rows),
        "CALL": creative.call,
        "BUSTER": BUSTERS[creative.buster][1],
    }
    html = PAGE + LAYOUTS[creative.layout]
    for key, value in dress.items():
        html = html.replace(f"%{key}%", value)
    return Template(
        campaign=f"{sender.name}:{creative.name}",
        programme=creative.programme,
        subject=compile_macro(creative.subject, WORDS),
        text=compile_macro(_plain(creative), WORDS),
        html=compile_macro(html, WORDS),
        path=compile_macro(creative.path, WORDS),
        linked=bool(creative.call),
    )


def _plain(creative: Creative) -> str:
    """Lay a creative out as plain text."""
    blocks = list(creative.lines)
    if creative.rows:
        blocks.append("\n".join(f"  * {row}" for row in creative.rows))
    if creative.call:
        blocks.append(f"{creative.call}:\n{{$link}}")
    return "\n\n".join(blocks) + BUSTERS[creative.buster][0] + "\n"
