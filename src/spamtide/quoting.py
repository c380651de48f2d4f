"""What a sender says himself: a text without the letters of others that it quotes.

A thread that was stolen from somebody's mailbox is answered with a few lines and a link or a file. The few
lines are the campaign's; what is quoted below them, and the subject, is another text in every message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

OWN_LETTERS = 24
"""Letters of his own that a sender must have written beside what he quotes; else the quote is the text."""
READ_CHARS = 16_000
"""Characters of a text that are looked at for what is quoted: an answer may stand below the question."""
LABELS = 2
"""Labels that must follow a sender's to make it the head of a letter."""
LABEL_LINES = 6
"""Lines that they must follow within."""
MARKED_LINES = 2
"""So many lines in a row that begin with '>' are quoted; fewer are so if it is said who wrote them."""
LINE_CHARS = 200
"""Characters of a line that are looked at."""

_SENDER = "From|Von|De|Da|Van|Od|Fra|Från|От|差出人|发件人|寄件者|보낸 사람"
_OTHERS = (
    "Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|Date d'envoi|À|Objet|Enviado|Enviada|Fecha|Para"
    "|Asunto|Data|Assunto|Inviato|A|Oggetto|Verzonden|Aan|Onderwerp|Sendt|Til|Emne|Skickat|Till|Ämne|Wysłano"
    "|Do|Temat|Отправлено|Дата|Кому|Тема|送信日時|日時|宛先|件名|发送时间|日期|收件人|主题|寄件日期|收件者|主旨"
    "|보낸 날짜|받는 사람|제목"
)
_ORIGINAL = (
    "Original Message|Original-Nachricht|Ursprüngliche Nachricht|Message d'origine|Mensaje original"
    "|Mensagem original|Messaggio originale|Oorspronkelijk bericht|Oprindelig meddelelse|Исходное сообщение"
    "|元のメッセージ|原始邮件|原始郵件"
)
_WROTE = (
    "wrote|schrieb|a écrit|escribió|ha scritto|escreveu|skrev|schreef|napisał|napisała|написал|написала|пишет"
    "|写道"
)
_ON = "On|Am|Le|El|Il|Em|Den|Op|W dniu|[0-9]{1,4}"

_HEAD = re.compile(rf"[*]?(?:{_SENDER})[*]?\s?[:\uff1a]", re.IGNORECASE)
_LABEL = re.compile(rf"[*]?(?:{_OTHERS})[*]?\s?[:\uff1a]", re.IGNORECASE)
_RULE = re.compile(rf"-{{2,}}\s*(?:{_ORIGINAL})\b", re.IGNORECASE)
_SAYS = re.compile(rf"\b(?:{_WROTE})\b.{{0,60}}[:\uff1a]$", re.IGNORECASE)
_DATED = re.compile(rf"(?:{_ON})\b.*[0-9]", re.IGNORECASE)
_REPLY = re.compile(r"\s*(?:re|aw|sv|vs|antw|rif|odp|回复|答复|回覆)(?:\[\d+\])?\s*[:\uff1a]", re.IGNORECASE)
_PASSED_ON = re.compile(
    r"\s*(?:re|aw|sv|vs|antw|rif|odp|fwd?|wg|tr|i|rv|enc|vb|pd|回复|答复|回覆|转发|轉寄)(?:\[\d+\])?\s*[:\uff1a]",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"(?:--|[_=-]{5,})$")
"""What stands above a signature, or above the foot that a mailing list adds."""
_LETTER = re.compile(r"[^\W\d_]")


def own_words(subject: str, text: str) -> tuple[str, str]:
    """The subject and text of an answer without what it quotes and its foot, if enough is left.

    The subject of an answer is that of the letter that is answered. Other mail is left as it is: what is
    passed on is what its sender has to say. Total and linear.
    """
    if not _REPLY.match(subject):
        return subject, text
    lines = [line.strip() for line in text[:READ_CHARS].split("\n")]
    own = _own_lines(lines)
    if len(own) == len(lines):
        return subject, text
    end, letters = len(own), 0
    for at, line in enumerate(own):
        if letters >= OWN_LETTERS and _SIGNED.match(line):
            end = at
            break
        letters += len(_LETTER.findall(line))
    return ("", "\n".join(own[:end])) if letters >= OWN_LETTERS else (subject, text)


def without_quoted(text: str) -> str | None:
    """A text without the letters that it quotes or passes on, whoever does so; None if there are none.

    Total and linear.
    """
    lines = [line.strip() for line in text.split("\n")]
    own = _own_lines(lines)
    return "\n".join(own) if len(own) < len(lines) else None


def is_passed_on(subject: str) -> bool:
    """Whether a subject is that of a letter which is answered or passed on."""
    return _PASSED_ON.match(subject) is not None


def _own_lines(lines: Sequence[str]) -> list[str]:
    """The lines of a text that are not another's; lines are without white space around them."""
    own: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end].startswith(">"):
            end += 1
        if end > at:
            if not _drop_attribution(own) and end - at < MARKED_LINES:
                own += lines[at:end]
            at = end
        elif _is_head(lines, at) or (_is_attribution(own, lines[at]) and not _is_marked_below(lines, at)):
            break
        else:
            own.append(lines[at])
            at += 1
    return own


def _is_head(lines: Sequence[str], at: int) -> bool:
    """Whether the head of another letter begins in this line."""
    line = lines[at]
    if line.startswith("--"):
        return bool(_RULE.match(line))
    if not _HEAD.match(line):
        return False
    below = lines[at + 1 : at + 1 + LABEL_LINES]
    return sum(bool(_LABEL.match(one)) for one in below) >= LABELS


def _is_attribution(own: Sequence[str], line: str) -> bool:
    """Whether a line, or the one before and it, say who wrote what follows, and when."""
    if not line.endswith((":", "\uff1a")) or not _SAYS.search(line[-LINE_CHARS:]):
        return False
    return bool(_DATED.match(line[:LINE_CHARS]) or (own and _DATED.match(own[-1][:LINE_CHARS])))


def _is_marked_below(lines: Sequence[str], at: int) -> bool:
    """Whether what follows is marked as quoted; the sender may then go on below it."""
    return any(line.startswith(">") for line in lines[at + 1 : at + 3])


def _drop_attribution(own: list[str]) -> bool:
    """Take off the line, or two, that say whose the lines are that follow; whether there was one."""
    last = next((at for at in range(len(own) - 1, max(len(own) - 3, -1), -1) if own[at]), -1)
    if last < 0 or not _is_attribution(own[max(last - 1, 0) : last], own[last]):
        return False
    del own[last if _DATED.match(own[last][:LINE_CHARS]) else last - 1 :]
    return True
