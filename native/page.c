/* Plain HTML to visible text, links and image texts, in one pass and without a tree.

   `message/html.py` says what a page is; this gives the same answer where the order of the text cannot depend
   on the tree, which is so for most mail, and None for all else: elements of another content model (select,
   svg, template ...), something in a table outside its cells (a browser moves it in front of the table),
   second bodies, hidden elements, rubbish inside tags. Source: HTML Living Standard, 13.2.5 and 13.2.6.

   Every index is checked against the end of its text; nothing is recursive; time is linear in the source. */

#include "page.h"

#define FEW_TAGS 2000 /* these two as in nesting.py */
#define MOST_ATTRIBUTES 256

#define ELEMENT_BYTES 12 /* of the longest name that is known, and its end */

typedef struct {
    char name[ELEMENT_BYTES];
    int traits;
} Element;

static const Element ELEMENTS[] = {
    {"a", LEAF}, {"b", LEAF | LOOSE}, {"base", HEAD}, {"basefont", HEAD}, {"bgsound", HEAD}, {"big", LEAF | LOOSE},
    {"blockquote", STARTS_LINE | ENDS_LINE}, {"body", ROOT}, {"br", STARTS_LINE},
    {"caption", TABLE}, {"center", STARTS_LINE | ENDS_LINE | LEAF | LOOSE}, {"col", TABLE}, {"colgroup", TABLE},
    {"dd", STARTS_LINE}, {"div", STARTS_LINE | ENDS_LINE | LEAF | LOOSE}, {"dl", ENDS_LINE}, {"dt", STARTS_LINE},
    {"em", LEAF | LOOSE}, {"font", LEAF | LOOSE},
    {"form", ENDS_LINE}, {"frame", OTHER}, {"frameset", OTHER},
    {"h1", STARTS_LINE | ENDS_LINE}, {"h2", STARTS_LINE | ENDS_LINE}, {"h3", STARTS_LINE | ENDS_LINE},
    {"h4", STARTS_LINE | ENDS_LINE}, {"h5", STARTS_LINE | ENDS_LINE}, {"h6", STARTS_LINE | ENDS_LINE},
    {"head", ROOT}, {"hr", STARTS_LINE}, {"html", ROOT}, {"i", LEAF | LOOSE}, {"iframe", OTHER}, {"image", OTHER},
    {"li", STARTS_LINE}, {"link", HEAD}, {"listing", OTHER}, {"math", OTHER}, {"meta", HEAD},
    {"noembed", OTHER}, {"noframes", OTHER}, {"noscript", OTHER}, {"object", OTHER}, {"ol", ENDS_LINE},
    {"option", STARTS_LINE}, {"p", STARTS_LINE | ENDS_LINE | LEAF | LOOSE}, {"plaintext", OTHER},
    {"pre", STARTS_LINE | ENDS_LINE}, {"script", RAW | HEAD}, {"select", CHOICE}, {"small", LEAF | LOOSE},
    {"span", LEAF | LOOSE}, {"strong", LEAF | LOOSE}, {"style", RAW | HEAD},
    {"svg", OTHER}, {"table", ENDS_LINE | TABLE}, {"tbody", TABLE}, {"td", TABLE | LEAF},
    {"template", OTHER}, {"textarea", OTHER}, {"tfoot", TABLE}, {"th", TABLE | LEAF}, {"thead", TABLE},
    {"title", RAW | HEAD}, {"tr", STARTS_LINE | TABLE}, {"u", LEAF | LOOSE}, {"ul", ENDS_LINE}, {"xmp", OTHER},
};

/* What is to be known of an element by its name in lower case, filled with zeros. */
static int traits_of(const char *name)
{
    enum { COUNT = sizeof ELEMENTS / sizeof *ELEMENTS };
    static unsigned char first[27]; /* of each letter, and the end */
    if (!first[26])
        for (int at = COUNT, letter = 26; letter >= 0; first[letter--] = (unsigned char)at)
            while (letter < 26 && at && ELEMENTS[at - 1].name[0] >= 'a' + letter)
                at--;
    int letter = name[0] - 'a';
    for (int at = first[letter]; at < first[letter + 1]; at++)
        if (!memcmp(name, ELEMENTS[at].name, ELEMENT_BYTES))
            return ELEMENTS[at].traits;
    return 0;
}

/* ---- tags */

/* Where an element stands. Gives whether it comes into the tree; *doubt where the tree would move it. */
static int place(Page *page, const char *name, int traits, int interesting, int *doubt)
{
    Table *table = page->depth ? &page->tables[page->depth - 1] : NULL;
    if (IS(name, "table")) {
        if (table && !table->cell) { /* a table in a table, outside its cells, closes it */
            *table = (Table){.start = page->size};
            return 1;
        }
        if (page->depth == TABLES) {
            *doubt = 1;
            return 0;
        }
        page->tables[page->depth++] = (Table){.start = page->size};
        return 1;
    }
    if (traits & TABLE) {
        if (!table)
            return 0;
        table->ground[OF_CELL] = table->veiled = 0;
        if (IS(name, "td") || IS(name, "th")) {
            if (!table->group)
                table->group = 'b';
            table->cell = name[1];
        } else {
            table->cell = 0;
            table->ground[OF_ROW] = 0;
            if (IS(name, "tr")) {
                if (!table->group)
                    table->group = 'b';
            } else { /* tbody, thead, tfoot, caption, colgroup, col */
                table->ground[OF_GROUP] = 0;
                table->group = name[0] == 't' ? name[1] : 0;
                if (IS(name, "caption"))
                    table->cell = 'c';
            }
        }
        return 1;
    }
    if (table && !table->cell && traits & LOOSE && !interesting) {
        /* It moves in front of the table, empty, with the white space up to the next row or cell. */
        if (page->size > table->start && table->start && page->out[table->start] != '\n')
            *doubt = 1;
        page->moved = 1;
        return 1;
    }
    if (table && !table->cell && !(traits & (RAW | ROOT)) && !IS(name, "form")
        && (!IS(name, "br") || interesting) && (!IS(name, "input") || interesting))
        *doubt = 1;
    if (table && !table->cell && IS(name, "title"))
        *doubt = 1;
    if (IS(name, "form")) {
        int nested = page->in_form;
        page->in_form = 1;
        return !nested;
    }
    return 1;
}

static void close_element(Page *page, const char *name, int traits)
{
    if (IS(name, "form"))
        page->in_form = 0;
    if (!(traits & TABLE) || !page->depth)
        return;
    Table *table = &page->tables[page->depth - 1];
    int cell = IS(name, "td") || IS(name, "th") ? name[1] : IS(name, "caption") ? 'c' : 0;
    if (IS(name, "table")) {
        page->depth--;
    } else if (cell) {
        if (table->cell == cell)
            table->cell = table->ground[OF_CELL] = 0;
    } else if (IS(name, "tr")) {
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
        if (lowered(at[1]) == 's' && IS(name, "script"))
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

/* Pass over an element that is not seen, if it holds nothing but text. */
static Verdict skip_unseen(Page *page, const char *name, int traits, char why)
{
    const char *tag = memchr(page->at, '<', (size_t)(page->end - page->at));
    size_t length = strlen(name);
    if (!(traits & LEAF) || page->moved || !tag || page->end - tag < (Py_ssize_t)length + 3 || tag[1] != '/')
        return DOUBTFUL;
    const char *at = tag + 2;
    for (size_t same = 0; same < length; same++, at++)
        if (lowered(*at) != name[same])
            return DOUBTFUL;
    while (at < page->end && is_space(*at))
        at++;
    if (at == page->end || *at != '>')
        return DOUBTFUL;
    Verdict verdict = page_hide(page, page->at, tag, why);
    page->at = at + 1;
    close_element(page, name, traits);
    return verdict;
}

/* Whether a quoted value may hold '<': a mark that is set before a tag there changes nothing. */
static int may_hold_tags(int which, const Span *value)
{
    if (which == KNOWN || which == CLASS)
        return 1;
    if (which > ACTION || value->end - value->value > 1000)
        return 0;
    for (const char *at = value->value; at + 1 < value->end; at++)
        if (at[0] == '>' && at[1] == '<')
            return 0;
    return 1;
}

/* Whether a tag may follow one that moved: a row, a cell or another that moves. */
static int may_follow_moved(const char *name, int traits, int closing)
{
    return !closing && (traits & LOOSE || (traits & TABLE && (IS(name, "tr") || IS(name, "td") || IS(name, "th")
           || IS(name, "tbody") || IS(name, "thead") || IS(name, "tfoot"))));
}

/* Read the tag at '<' or '</'. */
static Verdict read_tag(Page *page, int closing)
{
    const char *start = page->at;
    const char *at = start + 1 + closing;
    const char *end = page->end;
    char name[NAME_BYTES] = {0};
    int size = 0;
    while (at < end && !is_space(*at) && *at != '/' && *at != '>') {
        if ((unsigned char)*at >= 0x80 || *at == '<')
            return DOUBTFUL;
        if (size < NAME_BYTES - 1)
            name[size++] = lowered(*at);
        at++;
    }
    Span spans[KNOWN] = {{NULL, NULL}};
    for (int count = 0;; count++) {
        while (at < end && (is_space(*at) || *at == '/'))
            at++;
        if (at >= end)
            return DOUBTFUL;
        if (*at == '>')
            break;
        if (count == MOST_ATTRIBUTES)
            return DOUBTFUL;
        const char *key = at++; /* an attribute's name may begin with '=' */
        while (at < end && !is_space(*at) && *at != '/' && *at != '>' && *at != '=')
            at++;
        const char *key_end = at;
        while (at < end && is_space(*at))
            at++;
        Span value = {key_end, key_end};
        int quoted = 0, which = page_attribute(key, key_end - key);
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
                quoted = 1;
            } else {
                value.value = at;
                while (at < end && !is_space(*at) && *at != '>')
                    at++;
                value.end = at;
            }
        }
        if (memchr(key, '<', (size_t)(at - key))
            && !(quoted && !memchr(key, '<', (size_t)(key_end - key)) && may_hold_tags(which, &value)))
            return DOUBTFUL;
        if (which < KNOWN && !spans[which].value)
            spans[which] = value;
    }
    page->at = at + 1;
    int traits = traits_of(name);
    if (!IS(name, "font"))
        spans[SIZE].value = NULL;
    if (!closing && IS(name, "style"))
        page->styled = 1;
    /* What begins or ends a line is told by the letters up to the first that is no word's. */
    int word = 0;
    while (name[word] == '_' || is_letter(name[word]) || is_digit(name[word]))
        word++;
    int line = traits;
    if (word < size) {
        char stem[NAME_BYTES] = {0};
        memcpy(stem, name, (size_t)word);
        line = traits_of(stem);
        if (!strncmp(name, "td", 2) || !strncmp(name, "th", 2))
            return DOUBTFUL;
    }
    int after_moved = page->moved;
    page->moved = 0;
    if (after_moved && !may_follow_moved(name, traits, closing))
        return DOUBTFUL;
    if (page->choosing && !IS(name, "option") && !(closing && traits & CHOICE))
        return DOUBTFUL;
    if (after_moved && page->size > page->tables[page->depth - 1].start)
        ; /* what marks the line has moved too, to where a line ends already */
    else if (line & (closing ? ENDS_LINE : STARTS_LINE))
        page_end_line(page);
    else if (!closing && (IS(name, "td") || IS(name, "th")) && start > page->begin && start[-1] == '>')
        page->gap = 1;
    if (closing) {
        page->choosing &= !(traits & CHOICE);
        close_element(page, name, traits);
        return PLAIN;
    }
    if (traits & OTHER)
        return DOUBTFUL;
    int interesting = spans[HREF].value || spans[SRC].value || spans[BACKGROUND].value || spans[ACTION].value;
    int first_body = IS(name, "body") && !page->in_body;
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
    page->choosing |= (traits & CHOICE) != 0;
    Verdict verdict = PLAIN;
    if (in_tree) {
        char why = 0;
        Verdict seen = page_take_paint(page, spans, name, traits, first_body, &why);
        verdict = seen == PLAIN || seen == UNSEEN ? page_take_attributes(page, spans, name) : seen;
        if (verdict == PLAIN && seen == UNSEEN)
            return skip_unseen(page, name, traits, why);
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
            int lost = page->moved && page->size > page->tables[page->depth - 1].start;
            Verdict verdict = lost ? PLAIN : page_put(page, text, text_end);
            if (verdict != PLAIN)
                return verdict;
        }
        if (!tag)
            break;
        page->at = tag;
        Verdict verdict = PLAIN;
        Py_ssize_t left = page->end - tag;
        if (page->moved && !is_letter(tag[1]))
            return DOUBTFUL;
        if (is_letter(tag[1])) {
            verdict = read_tag(page, 0);
        } else if (tag[1] == '/' && left > 2 && is_letter(tag[2])) {
            verdict = read_tag(page, 1);
        } else if (left >= 4 && !memcmp(tag, "<!--", 4)) {
            const char *at = tag + 4;
            if (at < page->end && (*at == '>' || (*at == '-' && at + 1 < page->end && at[1] == '>')))
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

/* Whether elements may be nested so deep that a page is cut flat. */
static int has_many_tags(const char *source, Py_ssize_t size)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t at = 0; at < size; at++)
        count += source[at] == '<';
    return count > FEW_TAGS;
}

/* read_page(source, entities, paint_of) -> (text, urls, alts, hidden, styled) | None */
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
    if (memchr(source, '\0', (size_t)size) || memchr(source, '\f', (size_t)size) || has_many_tags(source, size))
        Py_RETURN_NONE;
    Page page = {0};
    page.begin = page.at = source;
    page.end = source + size;
    page.room = 2 * size + 16; /* a reference, of three bytes at least, may stand for two more than it has */
    page.entities = args[1];
    page.paint_of = args[2];
    page.out = PyMem_Malloc((size_t)page.room);
    page.urls = PyList_New(0);
    page.alts = PyList_New(0);
    page.hidden = PyList_New(0);
    PyObject *result = NULL;
    if (!page.out) {
        PyErr_NoMemory();
    } else if (page.urls && page.alts && page.hidden) {
        Verdict verdict = read_page(&page);
        if (verdict == DOUBTFUL && !PyErr_Occurred()) {
            result = Py_NewRef(Py_None);
        } else if (verdict == PLAIN) {
            PyObject *text = PyUnicode_DecodeUTF8(page.out, page.size, "strict");
            if (text)
                result = Py_BuildValue("(NOOOi)", text, page.urls, page.alts, page.hidden, page.styled);
        }
    }
    PyMem_Free(page.out);
    Py_XDECREF(page.urls);
    Py_XDECREF(page.alts);
    Py_XDECREF(page.hidden);
    return result;
}
