"""The closed table of defects: everything that may be wrong with a message, in words for a person.

A defect is evidence, not an error: mailers are told apart by what they get wrong.
"""

from __future__ import annotations

DEFECTS: dict[str, str] = {
    # the message as a whole
    "empty": "The message has no bytes.",
    "no-headers": "No header field could be read; everything was taken as text.",
    "no-body": "There is nothing after the header block.",
    "nul": "The message holds NUL bytes.",
    # header block
    "from-line": "An mbox 'From ' line stands before the header block.",
    "bare-cr": "A carriage return stands alone, not before a line feed.",
    "mixed-line-ends": "The header block mixes CRLF with bare LF line ends.",
    "no-header-end": "No empty line parts the header block from the body.",
    "header-without-colon": "A line among the headers has no field name and was left out.",
    "space-before-colon": "White space stands between a field name and its colon (obsolete syntax).",
    "stray-fold": "A continuation line stands where there is nothing to continue.",
    "blank-fold": "A continuation line holds white space alone (obsolete folding).",
    "8bit-header": "A header holds bytes outside ASCII that are not encoded.",
    "encoded-word": "An RFC 2047 encoded word is broken and was decoded as far as possible.",
    "duplicate-header": "A field that may stand once (Date, From, Subject ...) stands more often.",
    "too-many-headers": "Header fields over the bound were left out.",
    "headers-too-long": "The header block is longer than the bound and was cut.",
    # MIME structure
    "body-too-long": "The body is longer than the bound; the rest was not looked at.",
    "content-type": "A Content-Type is not of the form type/subtype.",
    "no-boundary": "A multipart names no boundary.",
    "boundary-not-found": "The boundary that a multipart names does not occur in it.",
    "unclosed-multipart": "A multipart is not closed by its last boundary.",
    "boundary-prefix": "One boundary begins another, so that careless parsers confuse them.",
    "too-deep": "MIME parts are nested deeper than the bound; inner ones were left out.",
    "too-many-parts": "MIME parts over the bound were left out.",
    "unparsable": "No MIME parser could read the structure; the raw body was taken as text.",
    # contents
    "base64": "A base64 part is broken and was decoded as far as possible.",
    "quoted-printable": "A quoted-printable body holds an escape that is none.",
    "unknown-encoding": "A Content-Transfer-Encoding is not one of the standard's.",
    "unknown-charset": "A charset is not known; its text was read as Windows-1252 or Latin-1.",
    "undecodable-text": "Bytes do not fit the charset that is claimed; they were replaced.",
    "8bit-without-charset": "Text outside ASCII claims no charset, or ASCII.",
    "control-characters": "The visible text holds control characters, which were left out.",
    "html-too-deep": "HTML tags are nested too deep, or too wide, to lay out; tags were cut out instead.",
    "text-too-long": "Text over the bound was cut.",
    "html-too-long": "HTML over the bound was cut.",
    "too-many-links": "Links over the bound were left out.",
    "internal": "A fault of Spamtide itself; please report it. Nothing of the message could be read.",
}
"""Defect name -> one line for a person. `Message.defects` holds no other names."""
