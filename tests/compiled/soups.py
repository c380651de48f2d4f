"""Markup, texts and mail that are damaged as strangers damage them; made from seeds."""

from __future__ import annotations

import random

TAGS = (
    "a", "b", "i", "p", "br", "div", "td", "tr", "th", "table", "tbody", "thead", "tfoot", "caption",
    "col", "colgroup", "font", "span", "center", "form", "input", "img", "li", "ul", "option", "h1",
    "pre", "style", "script", "title", "head", "body", "html", "meta", "link", "hr", "o:p", "nobr",
    "blockquote", "td:x", "center", "em", "big", "select",
)  # fmt: skip
ODD = ("svg", "template", "textarea", "iframe", "object", "noscript", "frameset", "image", "xmp")
ATTRIBUTES = (
    "", " href=http://a.b/c", " href='http://a.b/?x=1&amp;y=2&copy=3'", ' src="//www.x.y/ z"',
    " alt='A &eacute; b'", " title=t", " src=http://i.j/k alt=''", " background=http://b.g/",
    " action=http://f.g/", " bgcolor=red", " bgcolor='#ffffff'", " color=white", " color='#FFFFFF'",
    " size=-5", " size=+1", " class=c", " hidden", " style='display:none'", " style=color:white",
    " style='color:#fff;background:blue'",
    " style=font-size:12px", " bgcolor=navy", " style='background:#fefefe'",
    " href='http://a.b/<br>c'", ' src="http://a.b/<td><td>"', " alt='a<p>b' src=x", " class='<br>'",
    " color=' white'", " size=0",
    " size='-5 '", " color='rgb(255,255,255)' style=x", " style='color:&#35;fff'",
    " content='0; url=http://r.s/' http-equiv=refresh", " ==x", " a='<br>'", " /", " href=", ' href="',
    " type=hidden", " HREF=HTTP://UP.PER/", " href=http://first/ href=http://second/",
)  # fmt: skip
TEXTS = (
    "word", " ", "\n", "\r\n", "two words", "&nbsp;", "&amp;", "&copy", "&copyx;", "&notit;", "&#64;",
    "&#x92;", "&#0;", "&#xD800;", "&#12;", "&#13;", "&zzz;", "&", "<", "< b", "</", "<>", "</>", "<!x>",
    "<?y>", "<!-- c -->", "<!-->", "<!--- - -->", "--!>", ">", "é", "\u00a0", "\u2003", "\u200b",
    "\ufeff", "世界", "\x85", "\f", "\v", "\x1c", "@", "<!doctype html>", "<![if x]>", ".c{display:none}",
    "/* }", "<!--", "\x00",
)  # fmt: skip


WHOLE = (
    "<font color=white>sky</font>", "<font size=-6>&nbsp;x &copy;</font>", "<td style='color:white'>x</td>",
    "<span style='display:none'> a\n b </span>", "<p style=color:#fff;>gone</p>", "</td></tr><font><tr><td>",
    "<table><center>\n<tr><td>", "</tr><font face=a><center> <td>", "<select><option>a<option>b</select>",
    "<div style='background:white;color:white'>w</div >", "<!--- x -->", "<!---->", "<body bgcolor=red>",
    "<tr><td bgcolor=red><font color=white>seen</font>", "<b class=c><font color=white>seen</font></b>",
)  # fmt: skip


def mild_soup(rng: random.Random, pieces: int) -> str:
    """Mostly what is well formed, so that more of it is read without a tree."""
    tags = ("b", "i", "p", "br", "div", "tr", "td", "table", "font", "span", "center")
    found: list[str] = []
    for _ in range(pieces):
        kind, tag = rng.random(), rng.choice(tags)
        if kind < 0.3:
            found.append(rng.choice(WHOLE))
        elif kind < 0.5:
            found.append(f"<{tag}{rng.choice(ATTRIBUTES) if rng.random() < 0.2 else ''}>")
        elif kind < 0.65:
            found.append(f"</{tag}>")
        else:
            found.append(rng.choice(("<table><tr><td>", "</td></tr></table>", "<br>", " ", *TEXTS[:14])))
    return "".join(found)


def soup(rng: random.Random, pieces: int) -> str:
    """Tags and texts in any order, as they are met in spam and worse."""
    if rng.random() < 0.5:
        return mild_soup(rng, pieces)
    found: list[str] = []
    for _ in range(pieces):
        kind = rng.random()
        tag = rng.choice(ODD) if kind < 0.01 else rng.choice(TAGS)
        tag = tag.upper() if rng.random() < 0.2 else tag
        if kind < 0.45:
            attributes = "".join(rng.choice(ATTRIBUTES) for _ in range(rng.choice((0, 0, 1, 1, 2))))
            found.append(f"<{tag}{attributes}>")
        elif kind < 0.7:
            found.append(f"</{tag}>")
        elif kind < 0.74:
            found.append("<table><tr><td>")
        elif kind < 0.76:
            found.append(rng.choice(WHOLE))
        elif kind < 0.8:
            found.append("</td></tr></table>")
        else:
            found.append(rng.choice(TEXTS))
    return "".join(found)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A message with markup, line ends and rubbish written into it, and pieces lost."""
    bytes_now = bytearray(data[: 1 << 16])
    for _ in range(rng.randint(1, 20)):
        at = rng.randrange(len(bytes_now) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            del bytes_now[at : at + rng.randint(1, 30)]
        elif kind == 1:
            bytes_now[at:at] = soup(rng, 2).encode("utf-8")
        elif kind == 2:
            bytes_now[at:at] = rng.choice(
                (b"\r\n", b"\n ", b"\n\t\n", b"\0", b"\xa0", b"\xc2\x85", b"=\n", b"@")
            )
        else:
            bytes_now[at:at] = bytes_now[rng.randrange(len(bytes_now) + 1) :][: rng.randint(1, 200)]
    return bytes(bytes_now)
