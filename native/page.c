/* Plain HTML to visible text, links and image texts, in one pass and without a tree.

   `message/html.py` says what a page is; this gives the same answer where the order of the text cannot depend
   on the tree, which is so for most mail, and None for all else: elements of another content model (select,
   svg, template ...), something in a table outside its cells (a browser moves it in front of the table),
   second bodies, hidden elements, rubbish inside tags. Source: HTML Living Standard, 13.2.5 and 13.2.6.

   Every index is checked against the end of its text; nothing is recursive; time is linear in the source. */

#include "native.h"

#include <string.h>

#define TABLES 64
#define NAME_BYTES 32
#define ENTITY_BYTES 32

typedef struct {
    char cell;  /* 0 outside cells, 'd' td, 'h' th, 'c' caption */
    char group; /* 'b' tbody, 'h' thead, 'f' tfoot */
    char ground[4]; /* COLOURED or PAPER where the open table, group, row, cell has such a ground */
    char veiled;    /* in the open cell an element that is no part of a table has a white ground */
} Table;

enum { OF_TABLE, OF_GROUP, OF_ROW, OF_CELL };

#define PAINTS 64
#define PAINTED 4 /* attributes that decide it */

typedef struct {
    const char *at[PAINTED];
    Py_ssize_t size[PAINTED];
    long paint;
} Paint;

typedef struct {
    const char *begin, *at, *end; /* the source */
    char *out;            /* visible text, tidied */
    Py_ssize_t size, room;
    int gap;     /* white space since the last word */
    int newline; /* a line ended since the last word */
    Table tables[TABLES];
    int depth;
    int in_body; /* something that belongs into the body was met */
    int in_form;
    int styled; /* a style sheet was met */
    PyObject *entities; /* html.entities.html5 */
    PyObject *paint_of; /* callable, see message/html.py */
    PyObject *urls, *alts;
    int ground; /* of the body, as those of a table */
    int veiled;
    Paint paints[PAINTS];
} Page;

typedef enum { FAILED = -1, PLAIN = 0, DOUBTFUL = 1 } Verdict;

/* What is to be known of an element. */
enum {
    STARTS_LINE = 1,
    ENDS_LINE = 2,
    RAW = 4,       /* its text is no markup, and not shown */
    OTHER = 8,     /* has rules of its own: left to the tree */
    TABLE = 16,    /* part of a table */
    HEAD = 32,     /* may stand in the head */
    ROOT = 64,     /* html, head, body */
};

typedef struct {
    const char *name;
    int traits;
} Element;

static const Element ELEMENTS[] = {
    {"a", 0}, {"b", 0}, {"base", HEAD}, {"basefont", HEAD}, {"bgsound", HEAD},
    {"blockquote", STARTS_LINE | ENDS_LINE}, {"body", ROOT}, {"br", STARTS_LINE},
    {"caption", TABLE}, {"center", STARTS_LINE | ENDS_LINE}, {"col", TABLE}, {"colgroup", TABLE},
    {"dd", STARTS_LINE}, {"div", STARTS_LINE | ENDS_LINE}, {"dl", ENDS_LINE}, {"dt", STARTS_LINE},
    {"form", ENDS_LINE}, {"frame", OTHER}, {"frameset", OTHER},
    {"h1", STARTS_LINE | ENDS_LINE}, {"h2", STARTS_LINE | ENDS_LINE}, {"h3", STARTS_LINE | ENDS_LINE},
    {"h4", STARTS_LINE | ENDS_LINE}, {"h5", STARTS_LINE | ENDS_LINE}, {"h6", STARTS_LINE | ENDS_LINE},
    {"head", ROOT}, {"hr", STARTS_LINE}, {"html", ROOT}, {"iframe", OTHER}, {"image", OTHER},
    {"li", STARTS_LINE}, {"link", HEAD}, {"listing", OTHER}, {"math", OTHER}, {"meta", HEAD},
    {"noembed", OTHER}, {"noframes", OTHER}, {"noscript", OTHER}, {"object", OTHER}, {"ol", ENDS_LINE},
    {"option", STARTS_LINE}, {"p", STARTS_LINE | ENDS_LINE}, {"plaintext", OTHER},
    {"pre", STARTS_LINE | ENDS_LINE}, {"script", RAW | HEAD}, {"select", OTHER}, {"style", RAW | HEAD},
    {"svg", OTHER}, {"table", ENDS_LINE | TABLE}, {"tbody", TABLE}, {"td", TABLE},
    {"template", OTHER}, {"textarea", OTHER}, {"tfoot", TABLE}, {"th", TABLE}, {"thead", TABLE},
    {"title", RAW | HEAD}, {"tr", STARTS_LINE | TABLE}, {"ul", ENDS_LINE}, {"xmp", OTHER},
};

static int traits_of(const char *name)
{
    int low = 0, high = (int)(sizeof ELEMENTS / sizeof *ELEMENTS) - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        int order = strcmp(name, ELEMENTS[middle].name);
        if (!order)
            return ELEMENTS[middle].traits;
        if (order < 0)
            high = middle - 1;
        else
            low = middle + 1;
    }
    return 0;
}

static int is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static int is_digit(char c) { return c >= '0' && c <= '9'; }
static char lowered(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

/* ---- the text */

static void put(Page *page, const char *bytes, Py_ssize_t count)
{
    if (page->size + count + 1 > page->room)
        return; /* cannot be: the room is that of the source, and nothing grows */
    if (page->newline && page->size)
        page->out[page->size++] = '\n';
    else if (page->gap && page->size)
        page->out[page->size++] = ' ';
    page->newline = page->gap = 0;
    memcpy(page->out + page->size, bytes, (size_t)count);
    page->size += count;
}

static void end_line(Page *page) { page->newline = 1; }

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
        const char *word = at++;
        while (at < end && (is_plain_byte(*at) || !space_at(at, end)))
            at++;
        put(page, word, at - word);
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

static Verdict put_character_data(Page *page, const char *at, const char *end)
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
            end_line(page);
        else
            put_text(page, into, into + written);
        at = mark + taken;
    }
    return PLAIN;
}

/* ---- attributes */

typedef struct {
    const char *value, *end; /* NULL: the attribute is not there */
} Span;

enum { HREF, SRC, BACKGROUND, ACTION, ALT, TITLE, CONTENT, EQUIV, HIDDEN, CLASS, STYLE, COLOUR, GROUND, SIZE, KNOWN };
static const char *const ATTRIBUTES[KNOWN] = {
    "href", "src", "background", "action", "alt", "title", "content", "http-equiv", "hidden", "class", "style",
    "color", "bgcolor", "size",
};
/* Which attribute a name is, in any letter case; KNOWN for all others. */
static int attribute_of(const char *name, Py_ssize_t size)
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

enum { HIDES = 1, WHITE = 2, COLOURED = 4, PAPER = 8 }; /* what `paint_of` says */

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
    Py_ssize_t said_of = 0;
    size_t hash = 5381;
    for (int part = 0; part < PAINTED; part++) {
        const Span *span = &spans[STYLE + part];
        wanted.at[part] = span->value;
        wanted.size[part] = span->value ? span->end - span->value : 0;
        for (Py_ssize_t byte = 0; byte < wanted.size[part]; byte++)
            hash = hash * 33 ^ (unsigned char)span->value[byte];
        hash = hash * 33 ^ (size_t)part;
        said_of += wanted.size[part];
    }
    if (!said_of)
        return 0;
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

/* Note the ground of an element that is now open, and find out whether a reader sees what it holds. */
static Verdict take_paint(Page *page, const Span *spans, const char *name, int traits, int first_body)
{
    if (spans[HIDDEN].value)
        return DOUBTFUL;
    long paint = paint_of(page, spans);
    if (paint < 0)
        return FAILED;
    int ground = spans[CLASS].value || spans[BACKGROUND].value ? COLOURED : (int)(paint & (COLOURED | PAPER));
    if (first_body)
        page->ground = ground;
    if (traits & ROOT) /* a second body may give the first what it lacks */
        return spans[GROUND].value && !first_body ? DOUBTFUL : PLAIN;
    if (ground && traits & TABLE) {
        char *grounds = page->tables[page->depth - 1].ground;
        if (!strcmp(name, "table"))
            grounds[OF_TABLE] = (char)ground;
        else if (!strcmp(name, "td") || !strcmp(name, "th") || !strcmp(name, "caption"))
            grounds[OF_CELL] = (char)ground;
        else if (!strcmp(name, "tr"))
            grounds[OF_ROW] = (char)ground;
        else if (name[0] == 't')
            grounds[OF_GROUP] = (char)ground;
    } else if (ground == PAPER && page->depth) {
        page->tables[page->depth - 1].veiled = 1;
    } else if (ground == PAPER) {
        page->veiled = 1;
    }
    if (!strcmp(name, "img") || !strcmp(name, "input"))
        return PLAIN;
    if (paint & HIDES || (paint & WHITE && ground != COLOURED && (ground == PAPER || !on_colour(page))))
        return DOUBTFUL;
    return PLAIN;
}

static Verdict take_attributes(Page *page, const Span *spans, const char *name)
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
        if (!is_plain_url(value)) {
            PyObject *raw = Py_BuildValue("(iN)", 0, value);
            value = raw;
        }
        if (add(page->urls, value))
            return FAILED;
    }
    int meta = !strcmp(name, "meta");
    if (meta && (wanted || spans[EQUIV].value) && spans[CONTENT].value) {
        PyObject *value = value_of(page, spans[CONTENT]);
        if (!value || add(page->urls, Py_BuildValue("(iN)", 1, value)))
            return FAILED;
    }
    if (wanted && !strcmp(name, "img")) {
        Span said = spans[ALT].value && spans[ALT].end > spans[ALT].value ? spans[ALT] : spans[TITLE];
        PyObject *text = said.value ? value_of(page, said) : PyUnicode_FromString("");
        if (add(page->alts, text))
            return FAILED;
    }
    return PLAIN;
}

/* ---- tags */

/* Where an element stands. Gives whether it comes into the tree; *doubt where the tree would move it. */
static int place(Page *page, const char *name, int traits, int interesting, int *doubt)
{
    Table *table = page->depth ? &page->tables[page->depth - 1] : NULL;
    if (!strcmp(name, "table")) {
        if (table && !table->cell) { /* a table in a table, outside its cells, closes it */
            *table = (Table){0};
            return 1;
        }
        if (page->depth == TABLES) {
            *doubt = 1;
            return 0;
        }
        page->tables[page->depth++] = (Table){0};
        return 1;
    }
    if (traits & TABLE) {
        if (!table)
            return 0;
        table->ground[OF_CELL] = table->veiled = 0;
        if (!strcmp(name, "td") || !strcmp(name, "th")) {
            if (!table->group)
                table->group = 'b';
            table->cell = name[1];
        } else {
            table->cell = 0;
            table->ground[OF_ROW] = 0;
            if (!strcmp(name, "tr")) {
                if (!table->group)
                    table->group = 'b';
            } else { /* tbody, thead, tfoot, caption, colgroup, col */
                table->ground[OF_GROUP] = 0;
                table->group = name[0] == 't' ? name[1] : 0;
                if (!strcmp(name, "caption"))
                    table->cell = 'c';
            }
        }
        return 1;
    }
    if (table && !table->cell && !(traits & (RAW | ROOT)) && strcmp(name, "form")
        && (strcmp(name, "br") || interesting) && (strcmp(name, "input") || interesting))
        *doubt = 1;
    if (table && !table->cell && !strcmp(name, "title"))
        *doubt = 1;
    if (!strcmp(name, "form")) {
        int nested = page->in_form;
        page->in_form = 1;
        return !nested;
    }
    return 1;
}

static void close_element(Page *page, const char *name, int traits)
{
    if (!strcmp(name, "form"))
        page->in_form = 0;
    if (!(traits & TABLE) || !page->depth)
        return;
    Table *table = &page->tables[page->depth - 1];
    int cell = !strcmp(name, "td") || !strcmp(name, "th") ? name[1] : !strcmp(name, "caption") ? 'c' : 0;
    if (!strcmp(name, "table")) {
        page->depth--;
    } else if (cell) {
        if (table->cell == cell)
            table->cell = table->ground[OF_CELL] = 0;
    } else if (!strcmp(name, "tr")) {
        if (table->cell != 'c')
            table->cell = table->ground[OF_CELL] = table->ground[OF_ROW] = 0;
    } else if (name[0] == 't' && table->group == name[1]) { /* tbody, thead, tfoot */
        table->cell = table->group = table->ground[OF_CELL] = table->ground[OF_ROW] = table->ground[OF_GROUP] = 0;
    }
}

/* Pass over the text of an element that holds no markup, and its end tag. */
static Verdict skip_raw(Page *page, const char *name)
{
    size_t length = strlen(name);
    const char *at = page->at;
    for (;;) {
        at = memchr(at, '<', (size_t)(page->end - at));
        if (!at || page->end - at < (Py_ssize_t)length + 3)
            return DOUBTFUL;
        if (lowered(at[1]) == 's' && !strcmp(name, "script"))
            return DOUBTFUL; /* a script that writes scripts may hide its end from us */
        if (at[1] == '/') {
            size_t same = 0;
            while (same < length && lowered(at[2 + same]) == name[same])
                same++;
            char next = at[2 + length];
            if (same == length && (next == '>' || next == '/' || is_space(next)))
                break;
        }
        at++;
    }
    page->at = at;
    return PLAIN;
}

/* Read the tag at '<' or '</'. */
static Verdict read_tag(Page *page, int closing)
{
    const char *start = page->at;
    const char *at = start + 1 + closing;
    const char *end = page->end;
    char name[NAME_BYTES];
    int size = 0;
    while (at < end && !is_space(*at) && *at != '/' && *at != '>') {
        if ((unsigned char)*at >= 0x80 || *at == '<')
            return DOUBTFUL;
        if (size < NAME_BYTES - 1)
            name[size++] = lowered(*at);
        at++;
    }
    name[size] = 0;
    Span spans[KNOWN] = {{NULL, NULL}};
    for (;;) {
        while (at < end && (is_space(*at) || *at == '/'))
            at++;
        if (at >= end)
            return DOUBTFUL;
        if (*at == '>')
            break;
        const char *key = at++; /* an attribute's name may begin with '=' */
        while (at < end && !is_space(*at) && *at != '/' && *at != '>' && *at != '=')
            at++;
        const char *key_end = at;
        while (at < end && is_space(*at))
            at++;
        Span value = {key_end, key_end};
        if (at < end && *at == '=') {
            at++;
            while (at < end && is_space(*at))
                at++;
            if (at < end && (*at == '"' || *at == '\'')) {
                const char *quote = memchr(at + 1, *at, (size_t)(end - at - 1));
                if (!quote)
                    return DOUBTFUL;
                value = (Span){at + 1, quote};
                at = quote + 1;
            } else {
                value.value = at;
                while (at < end && !is_space(*at) && *at != '>')
                    at++;
                value.end = at;
            }
        }
        if (memchr(key, '<', (size_t)(at - key)))
            return DOUBTFUL;
        int which = attribute_of(key, key_end - key);
        if (which < KNOWN && !spans[which].value)
            spans[which] = value;
    }
    page->at = at + 1;
    int traits = traits_of(name);
    if (strcmp(name, "font"))
        spans[SIZE].value = NULL;
    if (!closing && !strcmp(name, "style"))
        page->styled = 1;
    /* What begins or ends a line is told by the letters up to the first that is no word's. */
    int word = 0;
    while (name[word] == '_' || is_letter(name[word]) || is_digit(name[word]))
        word++;
    int line = traits;
    if (word < size) {
        char stem[NAME_BYTES];
        memcpy(stem, name, (size_t)word);
        stem[word] = 0;
        line = traits_of(stem);
        if (!strncmp(name, "td", 2) || !strncmp(name, "th", 2))
            return DOUBTFUL;
    }
    if (line & (closing ? ENDS_LINE : STARTS_LINE))
        end_line(page);
    else if (!closing && (!strcmp(name, "td") || !strcmp(name, "th")) && start > page->begin && start[-1] == '>')
        page->gap = 1;
    if (closing) {
        close_element(page, name, traits);
        return PLAIN;
    }
    if (traits & OTHER)
        return DOUBTFUL;
    int interesting = spans[HREF].value || spans[SRC].value || spans[BACKGROUND].value || spans[ACTION].value;
    int first_body = !strcmp(name, "body") && !page->in_body;
    if (traits & ROOT) {
        if (interesting && !first_body)
            return DOUBTFUL;
        if (first_body)
            page->in_body = 1;
    } else if (!(traits & HEAD)) {
        page->in_body = 1;
    }
    int doubt = 0;
    int in_tree = place(page, name, traits, interesting, &doubt);
    if (doubt)
        return DOUBTFUL;
    Verdict verdict = PLAIN;
    if (in_tree) {
        verdict = take_paint(page, spans, name, traits, first_body);
        if (verdict == PLAIN)
            verdict = take_attributes(page, spans, name);
    }
    if (verdict == PLAIN && traits & RAW)
        verdict = skip_raw(page, name);
    return verdict;
}

static Verdict read_page(Page *page)
{
    while (page->at < page->end) {
        const char *tag = memchr(page->at, '<', (size_t)(page->end - page->at));
        const char *text = page->at;
        while (tag && !(tag + 1 < page->end && (is_letter(tag[1]) || tag[1] == '/' || tag[1] == '!' || tag[1] == '?')))
            tag = memchr(tag + 1, '<', (size_t)(page->end - tag - 1));
        const char *text_end = tag ? tag : page->end;
        if (text < text_end) {
            const char *seen = text;
            while (seen < text_end && is_space(*seen))
                seen++;
            if (seen < text_end) {
                if (page->depth && !page->tables[page->depth - 1].cell)
                    return DOUBTFUL;
                page->in_body = 1;
            }
            Verdict verdict = put_character_data(page, text, text_end);
            if (verdict != PLAIN)
                return verdict;
        }
        if (!tag)
            break;
        page->at = tag;
        Verdict verdict = PLAIN;
        Py_ssize_t left = page->end - tag;
        if (is_letter(tag[1])) {
            verdict = read_tag(page, 0);
        } else if (tag[1] == '/' && left > 2 && is_letter(tag[2])) {
            verdict = read_tag(page, 1);
        } else if (left >= 4 && !memcmp(tag, "<!--", 4)) {
            const char *at = tag + 4;
            if (at < page->end && (*at == '>' || *at == '-'))
                return DOUBTFUL;
            for (;; at++) {
                at = memchr(at, '-', (size_t)(page->end - at));
                if (!at || page->end - at < 3)
                    return DOUBTFUL;
                if (at[1] == '-' && at[2] == '>')
                    break;
                if (at[1] == '-' && at[2] == '!')
                    return DOUBTFUL;
            }
            page->at = at + 3;
        } else {
            if (left <= 2)
                return DOUBTFUL;
            const char *close = memchr(tag, '>', (size_t)left);
            if (!close || memchr(tag + 1, '<', (size_t)(close - tag - 1)))
                return DOUBTFUL;
            page->at = close + 1;
        }
        if (verdict != PLAIN)
            return verdict;
    }
    return PLAIN;
}

/* read_page(source, entities, paint_of) -> (text, urls, alts, styled) | None */
PyObject *native_read_page(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyUnicode_Check(args[0]) || !PyDict_Check(args[1]) || !PyCallable_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "read_page(str, dict, callable)");
        return NULL;
    }
    Py_ssize_t size;
    const char *source = PyUnicode_AsUTF8AndSize(args[0], &size);
    if (!source) { /* lone surrogates */
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    if (memchr(source, '\0', (size_t)size) || memchr(source, '\f', (size_t)size))
        Py_RETURN_NONE;
    Page page = {0};
    page.begin = page.at = source;
    page.end = source + size;
    page.room = size + 16;
    page.entities = args[1];
    page.paint_of = args[2];
    page.out = PyMem_Malloc((size_t)page.room);
    page.urls = PyList_New(0);
    page.alts = PyList_New(0);
    PyObject *result = NULL;
    if (!page.out) {
        PyErr_NoMemory();
    } else if (page.urls && page.alts) {
        Verdict verdict = read_page(&page);
        if (verdict == DOUBTFUL && !PyErr_Occurred()) {
            result = Py_NewRef(Py_None);
        } else if (verdict == PLAIN) {
            PyObject *text = PyUnicode_DecodeUTF8(page.out, page.size, "strict");
            if (text)
                result = Py_BuildValue("(NOOi)", text, page.urls, page.alts, page.styled);
        }
    }
    PyMem_Free(page.out);
    Py_XDECREF(page.urls);
    Py_XDECREF(page.alts);
    return result;
}
