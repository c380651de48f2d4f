/* What is seen of a page: its text with references undone, addresses, texts of images, and what is hidden. */

#include "page.h"

#define ENTITY_BYTES 32
#define MANY_HIDDEN 1000
#define STYLE_BYTES 1000

/* ---- the text */

static void put(Page *page, const char *bytes, Py_ssize_t count)
{
    if (page->size + count + 1 > page->room)
        return; /* cannot be: see where the room is made */
    if (page->newline && page->size)
        page->out[page->size++] = '\n';
    else if (page->gap && page->size)
        page->out[page->size++] = ' ';
    page->newline = page->gap = 0;
    memcpy(page->out + page->size, bytes, (size_t)count);
    page->size += count;
}

void page_end_line(Page *page) { page->newline = 1; }

/* Add text without entities, its white space tidied. */
static void put_text(Page *page, const char *at, const char *end)
{
    while (at < end) {
        int space = space_at(at, end);
        if (space) {
            page->gap = 1;
            at += space;
            continue;
        }
        const char *words = at++;
        for (; at < end; at++) {
            if (is_plain_byte(*at) || !space_at(at, end))
                continue;
            if (*at != ' ' || at + 1 == end || !is_plain_byte(at[1]))
                break; /* else as it is to be written */
        }
        put(page, words, at - words);
    }
}

/* ---- entities */

/* The character that a number stands for, by 13.2.5.80. */
static Py_UCS4 character_of(Py_UCS4 code)
{
    static const unsigned short WINDOWS[32] = {
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
        0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122,
        0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    };
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0xFFFD;
    return code >= 0x80 && code <= 0x9F ? WINDOWS[code - 0x80] : code;
}

static int utf8_of(Py_UCS4 code, char *into)
{
    if (code < 0x80) {
        into[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        into[0] = (char)(0xC0 | code >> 6);
        into[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        into[0] = (char)(0xE0 | code >> 12);
        into[1] = (char)(0x80 | (code >> 6 & 0x3F));
        into[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    into[0] = (char)(0xF0 | code >> 18);
    into[1] = (char)(0x80 | (code >> 12 & 0x3F));
    into[2] = (char)(0x80 | (code >> 6 & 0x3F));
    into[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Read the reference at '&'. Gives how many bytes it takes (0: it is none) and writes what it stands for. */
static int entity(Page *page, const char *at, const char *end, int in_attribute, char *into, int *written)
{
    const char *start = at++;
    if (at < end && *at == '#') {
        Py_UCS4 code = 0;
        int base = 10;
        at++;
        if (at < end && (*at == 'x' || *at == 'X')) {
            base = 16;
            at++;
        }
        const char *digits = at;
        for (; at < end; at++) {
            char c = lowered(*at);
            int value = is_digit(c) ? c - '0' : base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
            if (value < 0)
                break;
            if (code <= 0x10FFFF)
                code = code * (Py_UCS4)base + (Py_UCS4)value;
        }
        if (at == digits)
            return 0;
        if (at < end && *at == ';')
            at++;
        *written = utf8_of(character_of(code), into);
        return (int)(at - start);
    }
    const char *name = at;
    while (at < end && at - name < ENTITY_BYTES && (is_letter(*at) || is_digit(*at)))
        at++;
    if (at == name)
        return 0;
    int whole = at < end && *at == ';';
    for (const char *to = at + whole; to - name >= 2; to--) {
        PyObject *key = PyUnicode_FromStringAndSize(name, to - name);
        if (!key)
            return -1;
        PyObject *found = PyDict_GetItemWithError(page->entities, key);
        Py_DECREF(key);
        if (found) {
            int closed = to[-1] == ';';
            if (in_attribute && !closed && to < end && (*to == '=' || is_letter(*to) || is_digit(*to)))
                return 0;
            Py_ssize_t size;
            const char *text = PyUnicode_AsUTF8AndSize(found, &size);
            if (!text || size > 8) {
                PyErr_SetString(PyExc_ValueError, "no entity stands for so much");
                return -1;
            }
            memcpy(into, text, (size_t)size);
            *written = (int)size;
            return (int)(to - start);
        }
        if (PyErr_Occurred())
            return -1;
        if (in_attribute && to < at + whole && to <= at)
            return 0; /* a shorter name would be followed by a letter */
    }
    return 0;
}

Verdict page_put(Page *page, const char *at, const char *end)
{
    while (at < end) {
        const char *mark = memchr(at, '&', (size_t)(end - at));
        put_text(page, at, mark ? mark : end);
        if (!mark)
            break;
        char into[8];
        int written = 0;
        int taken = entity(page, mark, end, 0, into, &written);
        if (taken < 0)
            return FAILED;
        if (!taken) {
            put(page, "&", 1);
            at = mark + 1;
            continue;
        }
        if (written > taken + 2)
            return DOUBTFUL;
        if (written == 1 && into[0] == '\f')
            page_end_line(page);
        else
            put_text(page, into, into + written);
        at = mark + taken;
    }
    return PLAIN;
}

/* ---- attributes */

static const char *const ATTRIBUTES[KNOWN] = {
    "href", "src", "background", "action", "alt", "title", "content", "http-equiv", "hidden", "class", "style",
    "color", "bgcolor", "size",
};
/* Which attribute a name is, in any letter case; KNOWN for all others. */
int page_attribute(const char *name, Py_ssize_t size)
{
    for (int which = 0; which < KNOWN; which++) {
        const char *known = ATTRIBUTES[which];
        if (lowered(name[0]) != known[0] || (Py_ssize_t)strlen(known) != size)
            continue;
        Py_ssize_t at = 1;
        while (at < size && lowered(name[at]) == known[at])
            at++;
        if (at == size)
            return which;
    }
    return KNOWN;
}

enum { HIDES = 1, WHITE = 2, COLOURED = 4, PAPER = 8, STYLED = 16 }; /* what `paint_of` says */

/* The value of an attribute, entities undone. */
static PyObject *value_of(Page *page, Span span)
{
    if (!memchr(span.value, '&', (size_t)(span.end - span.value)))
        return PyUnicode_DecodeUTF8(span.value, span.end - span.value, "strict");
    Py_ssize_t room = 2 * (span.end - span.value) + 8, size = 0;
    char *clean = PyMem_Malloc((size_t)room);
    if (!clean)
        return PyErr_NoMemory();
    const char *at = span.value;
    while (at < span.end) {
        char into[8];
        int written = 0, taken = 0;
        if (*at == '&') {
            taken = entity(page, at, span.end, 1, into, &written);
            if (taken < 0) {
                PyMem_Free(clean);
                return NULL;
            }
        }
        if (!taken) {
            into[0] = *at;
            written = taken = 1;
        }
        if (size + written > room)
            break; /* cannot be: no reference stands for more than twice its bytes */
        memcpy(clean + size, into, (size_t)written);
        size += written;
        at += taken;
    }
    PyObject *value = PyUnicode_DecodeUTF8(clean, size, "strict");
    PyMem_Free(clean);
    return value;
}

static int add(PyObject *list, PyObject *item)
{
    if (!item)
        return -1;
    int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return failed;
}

/* What style, colour and ground of an element do; -1 is an exception. Pages say the same over and over. */
static long paint_of(Page *page, const Span *spans)
{
    Paint wanted = {{NULL}, {0}, 0};
    size_t hash = 5381;
    for (int part = 0; part < PAINTED; part++) {
        const Span *span = &spans[STYLE + part];
        wanted.at[part] = span->value;
        wanted.size[part] = span->value ? span->end - span->value : 0;
        for (Py_ssize_t byte = 0; byte < wanted.size[part]; byte++)
            hash = hash * 33 ^ (unsigned char)span->value[byte];
        hash = hash * 33 ^ (size_t)part;
    }
    Paint *kept = &page->paints[hash % PAINTS];
    int same = 0;
    while (same < PAINTED && kept->size[same] == wanted.size[same]
           && !memcmp(kept->at[same] ? kept->at[same] : "", wanted.at[same] ? wanted.at[same] : "",
                      (size_t)wanted.size[same]))
        same++;
    if (same == PAINTED)
        return kept->paint;
    PyObject *values[PAINTED] = {NULL}, *said = NULL;
    int whole = 1;
    for (int part = 0; whole && part < PAINTED; part++) {
        values[part] = wanted.size[part] ? value_of(page, spans[STYLE + part]) : PyUnicode_New(0, 0);
        whole = values[part] != NULL;
    }
    if (whole)
        said = PyObject_Vectorcall(page->paint_of, values, PAINTED, NULL);
    for (int part = 0; part < PAINTED; part++)
        Py_XDECREF(values[part]);
    if (!said)
        return -1;
    wanted.paint = PyLong_AsLong(said);
    Py_DECREF(said);
    if (wanted.paint >= 0)
        *kept = wanted;
    return wanted.paint;
}

/* Whether the nearest ground that was given to what holds the present place is surely not white. Of elements that
   are no part of a table it is not known whether they still hold it; only a white ground of theirs matters. */
static int on_colour(const Page *page)
{
    for (int level = page->depth - 1; level >= 0; level--) {
        const Table *table = &page->tables[level];
        if (table->veiled)
            return 0;
        for (int part = OF_CELL; part >= OF_TABLE; part--)
            if (table->ground[part])
                return table->ground[part] == COLOURED;
    }
    return !page->veiled && page->ground == COLOURED;
}

/* Whether an element that is white on white is so whatever the tree looks like. */
static int surely_on_paper(const Page *page, int ground)
{
    if (ground == PAPER)
        return 1;
    if (ground || page->tinted || page->veiled || on_colour(page))
        return 0;
    for (int level = 0; level < page->depth; level++)
        if (page->tables[level].veiled)
            return 0;
    return 1;
}

static int begins_with(Span span, const char *wanted)
{
    const char *at = span.value;
    for (; *wanted; wanted++, at++)
        if (at >= span.end || lowered(*at) != *wanted)
            return 0;
    return 1;
}

/* Why an element is not seen, as `_hiding` of message/html.py would find it; 0 where that is left open. */
static char reason(const Span *spans, const char *name, long paint)
{
    const Span *style = &spans[STYLE], *colour = &spans[COLOUR], *size = &spans[SIZE];
    if (style->value) /* what it says must be enough by itself */
        return paint & STYLED && !memchr(style->value, '&', (size_t)(style->end - style->value)) ? 's' : 0;
    if (!IS(name, "font"))
        return 0;
    if (paint & HIDES) {
        Py_ssize_t count = size->end - size->value;
        return (count == 1 && *size->value == '0') || (count == 2 && *size->value == '-') ? 't' : 0;
    }
    if (memchr(colour->value, '&', (size_t)(colour->end - colour->value)))
        return 0;
    int white = begins_with(*colour, "white") && colour->end - colour->value == 5;
    return white || begins_with(*colour, "#f") || begins_with(*colour, "f") || begins_with(*colour, "rgb") ? 'f' : 0;
}

Verdict page_take_paint(Page *page, const Span *spans, const char *name, int traits, int first_body, char *why)
{
    if (spans[HIDDEN].value)
        return DOUBTFUL;
    Py_ssize_t said = 0;
    for (int part = STYLE; part < STYLE + PAINTED; part++)
        said += spans[part].value ? spans[part].end - spans[part].value : 0;
    if (said > STYLE_BYTES)
        return DOUBTFUL; /* what `paint_of` is asked is kept */
    long paint = said ? paint_of(page, spans) : 0;
    if (paint < 0)
        return FAILED;
    int ground = spans[CLASS].value || spans[BACKGROUND].value ? COLOURED : (int)(paint & (COLOURED | PAPER));
    if (first_body) {
        page->ground = ground;
        page->body_ground = spans[GROUND].value || spans[CLASS].value || spans[BACKGROUND].value;
    }
    if (traits & ROOT) {
        if (first_body)
            return PLAIN;
        page->tinted |= ground != 0;
        if (ground && page->on_paper)
            return DOUBTFUL;
        /* A second body may give the first what it lacks: a white ground in place of a coloured one of its style. */
        return spans[GROUND].value && page->ground == COLOURED && !page->body_ground ? DOUBTFUL : PLAIN;
    }
    if (ground && traits & TABLE) {
        char *grounds = page->tables[page->depth - 1].ground;
        if (IS(name, "table"))
            grounds[OF_TABLE] = (char)ground;
        else if (IS(name, "td") || IS(name, "th") || IS(name, "caption"))
            grounds[OF_CELL] = (char)ground;
        else if (IS(name, "tr"))
            grounds[OF_ROW] = (char)ground;
        else if (name[0] == 't')
            grounds[OF_GROUP] = (char)ground;
    } else if (ground == PAPER && page->depth) {
        page->tables[page->depth - 1].veiled = 1;
    } else if (ground == PAPER) {
        page->veiled = 1;
    } else if (ground) {
        page->tinted = 1;
    }
    if (IS(name, "img") || IS(name, "input"))
        return PLAIN;
    if (!(paint & HIDES) && !(paint & WHITE && ground != COLOURED && (ground == PAPER || !on_colour(page))))
        return PLAIN;
    if (!(paint & HIDES) && !surely_on_paper(page, ground))
        return DOUBTFUL;
    page->on_paper |= !(paint & HIDES) && !ground;
    *why = reason(spans, name, paint);
    return *why ? UNSEEN : DOUBTFUL;
}

Verdict page_hide(Page *page, const char *at, const char *end, char why)
{
    if (PyList_GET_SIZE(page->hidden) >= MANY_HIDDEN)
        return DOUBTFUL;
    Page leaf = {.room = 2 * (end - at) + 64, .entities = page->entities};
    leaf.out = PyMem_Malloc((size_t)leaf.room);
    if (!leaf.out) {
        PyErr_NoMemory();
        return FAILED;
    }
    Verdict verdict = page_put(&leaf, at, end);
    if (verdict == PLAIN) {
        for (Py_ssize_t byte = 0; byte < leaf.size; byte++)
            if (leaf.out[byte] == '\n')
                leaf.out[byte] = ' ';
        PyObject *text = PyUnicode_DecodeUTF8(leaf.out, leaf.size, "strict");
        if (!text || add(page->hidden, Py_BuildValue("(CN)", why, text)))
            verdict = FAILED;
    }
    PyMem_Free(leaf.out);
    return verdict;
}

Verdict page_take_attributes(Page *page, const Span *spans, const char *name)
{
    int wanted = 0;
    const Span *link = NULL;
    for (int which = HREF; which <= ACTION; which++) {
        if (spans[which].value) {
            wanted = 1;
            if (!link && spans[which].end > spans[which].value)
                link = &spans[which];
        }
    }
    if (link) {
        PyObject *value = value_of(page, *link);
        if (!value)
            return FAILED;
        PyObject *url = plain_url(value);
        if (!url && PyErr_Occurred()) {
            Py_DECREF(value);
            return FAILED;
        }
        if (url)
            Py_DECREF(value);
        else
            url = Py_BuildValue("(iN)", 0, value);
        if (url && PyUnicode_Check(url) && !PyUnicode_GET_LENGTH(url))
            Py_DECREF(url); /* no address of the web */
        else if (add(page->urls, url))
            return FAILED;
    }
    int meta = IS(name, "meta");
    if (meta && (wanted || spans[EQUIV].value) && spans[CONTENT].value) {
        PyObject *value = value_of(page, spans[CONTENT]);
        if (!value || add(page->urls, Py_BuildValue("(iN)", 1, value)))
            return FAILED;
    }
    if (wanted && IS(name, "img")) {
        Span said = spans[ALT].value && spans[ALT].end > spans[ALT].value ? spans[ALT] : spans[TITLE];
        PyObject *text = said.value ? value_of(page, said) : PyUnicode_FromString("");
        if (add(page->alts, text))
            return FAILED;
    }
    return PLAIN;
}
