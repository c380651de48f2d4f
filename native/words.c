/* Folded texts to hashed words: `read_words` of campaign/words.py, which says what everything means; its numbers
   and tables are handed in, so that they stand in one place. */

#include "native.h"

#include <stdint.h>
#include <string.h>

#define WORD_BYTES 40 /* as WORD_BYTES there */

enum { DIGIT = '0', MARK = 0x7F, END = 2, LINE = '\n', GAP = ' ', UNSEEN = '`' };

typedef struct {
    int kept, longest, longest_mixed, consonants, salad, shortest, share, left;
    uint64_t number, link;
} Rules;

typedef struct {
    uint64_t hash;
    uint32_t line;
    unsigned char random, out;
} Word;

typedef struct {
    uint32_t words, latin, brief, random;
} Line;

typedef struct {
    uint64_t *hashes;
    int64_t *texts;
    Py_ssize_t size, room;
} Words;

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

static int is_letter(unsigned char c) { return c >= 'a' && c <= 'z'; }

enum { IS_DIGIT = 1, IS_MARK = 2, IS_WIDE = 4, IS_CONSONANT = 8, IS_GAP = 16 };
enum { KEEP, LEAVE_OUT, ONE_DIGIT, SIGN };

typedef struct {
    unsigned char kind[256];   /* of a byte of a word */
    unsigned char action[256]; /* what is done with a byte of the text */
} Tables;

static void fill(Tables *tables, const unsigned char *inner, Py_ssize_t count)
{
    memset(tables, 0, sizeof *tables);
    for (int c = 0; c < 256; c++) /* a bit a letter, all but a, e, i, o, u and y */
        tables->kind[c] = (unsigned char)((c > MARK ? IS_WIDE : 0) | (c <= GAP ? IS_GAP : 0)
                                          | (is_letter((unsigned char)c) && (0x2EFBEEEu >> (c - 'a') & 1) ? IS_CONSONANT : 0));
    tables->kind[DIGIT] = IS_DIGIT;
    tables->kind[MARK] = IS_MARK;
    for (Py_ssize_t at = 0; at < count; at++)
        tables->action[inner[at]] = LEAVE_OUT;
    if (tables->action[DIGIT] == KEEP)
        tables->action[DIGIT] = ONE_DIGIT;
    for (const char *sign = "@.:"; *sign; sign++) /* those that are to be left out are so where they are no signs */
        tables->action[(unsigned char)*sign] = (unsigned char)(tables->action[(unsigned char)*sign] << 4 | SIGN);
}

/* Write what the table of characters that are no letters says over them. `table` holds first, last, becomes. */
static void blank_no_letters(unsigned char *raw, Py_ssize_t size, const int64_t *table, Py_ssize_t rows)
{
    for (Py_ssize_t at = 0; at < size; at++) {
        unsigned char c = raw[at];
        int bytes = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
        if (!bytes || at + bytes > size)
            continue;
        int64_t code = c & (0x7F >> bytes);
        for (int step = 1; step < bytes; step++)
            code = code << 6 | (raw[at + step] & 0x3F);
        Py_ssize_t low = 0, high = rows;
        while (low < high) {
            Py_ssize_t middle = (low + high) / 2;
            if (table[3 * middle] <= code)
                low = middle + 1;
            else
                high = middle;
        }
        if (low && code <= table[3 * (low - 1) + 1])
            memset(raw + at, (int)table[3 * (low - 1) + 2], (size_t)bytes);
        at += bytes - 1;
    }
}

/* Whether the sign of an address stands here: 'x://', 'xx.yy', 'x@y'. Two bytes stand before and after. */
static int is_address_sign(const unsigned char *at)
{
    int word_before = is_letter(at[-1]) || at[-1] == DIGIT;
    if (*at == '@')
        return word_before && (is_letter(at[1]) || at[1] == DIGIT);
    if (*at == ':')
        return at[1] == '/' && at[2] == '/';
    return word_before && at[-2] > GAP && is_letter(at[1]) && is_letter(at[2]);
}

/* Read one text into `raw`, which has room for it and 8 bytes; the bytes that are left. */
static Py_ssize_t read_text(const unsigned char *text, Py_ssize_t size, unsigned char *raw, unsigned char *clean,
                            const unsigned char *reading, const Tables *tables, const int64_t *table,
                            Py_ssize_t rows)
{
    raw[0] = raw[1] = GAP;
    unsigned char any = 0;
    for (Py_ssize_t at = 0; at < size; at++)
        any |= raw[2 + at] = reading[text[at]];
    memset(raw + 2 + size, GAP, 4);
    if (any >= 0x80)
        blank_no_letters(raw + 2, size, table, rows);
    Py_ssize_t kept = 0;
    for (Py_ssize_t at = 2; at < size + 2; at++) {
        unsigned char c = raw[at];
        int action = tables->action[c];
        clean[kept] = c;
        if (action == KEEP)
            kept++;
        else if (action == ONE_DIGIT)
            kept += !(kept && clean[kept - 1] == DIGIT);
        else if ((action & 15) == SIGN && is_address_sign(raw + at))
            clean[kept++] = MARK;
        else
            kept += action == SIGN;
    }
    memset(clean + kept, GAP, WORD_BYTES);
    return kept;
}

/* Eight bytes at a time, the first the lowest; behind a text stand WORD_BYTES more that may be read. */
static uint64_t hash_of(const unsigned char *word, Py_ssize_t size)
{
    uint64_t hash = 0;
    for (Py_ssize_t at = 0; at < WORD_BYTES && at < size; at += 8) {
        const unsigned char *b = word + at;
        uint64_t here = (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24
            | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
        if (size - at < 8)
            here &= (UINT64_C(1) << (8 * (size - at))) - 1;
        hash = mix(hash ^ here);
    }
    return hash;
}

/* Look at one word: its hash, and what it does to its line. */
static void look_at(const unsigned char *bytes, Py_ssize_t size, const Tables *tables, const Rules *rules, Word *word,
                    Line *line)
{
    Py_ssize_t digits = 0, run = 0, longest_run = 0;
    int kinds = 0;
    for (Py_ssize_t at = 0; at < size; at++) {
        int kind = tables->kind[bytes[at]];
        kinds |= kind;
        digits += kind & IS_DIGIT;
        run = kind & IS_CONSONANT ? run + 1 : 0;
        longest_run = run > longest_run ? run : longest_run;
    }
    int address = (kinds & IS_MARK) != 0, ascii = !(kinds & IS_WIDE);
    int number = digits == size;
    int random = longest_run >= rules->consonants || (ascii && size > rules->longest)
        || (digits && !number && (digits > 1 || size >= rules->longest_mixed));
    int latin = ascii && !address && !digits;
    word->random = (unsigned char)(random && !address);
    word->hash = address ? rules->link : number ? rules->number : hash_of(bytes, size);
    line->words++;
    line->latin += (uint32_t)latin;
    line->brief += (uint32_t)(latin && size <= rules->shortest);
    line->random += word->random;
}

static int is_padding(const Line *line, const Rules *rules)
{
    int salad = line->latin >= (uint32_t)rules->salad
        && (uint64_t)line->brief * (uint32_t)rules->salad < line->latin;
    int noise = line->random > 1 && (uint64_t)line->random * (uint32_t)rules->share >= line->words;
    return salad || noise;
}

/* Add the words of one text that count. -1: no memory. */
static int add_words(const unsigned char *clean, Py_ssize_t size, const Tables *tables, const Rules *rules, Word *words,
                     Line *lines, int64_t text, Words *found)
{
    Py_ssize_t count = 0;
    uint32_t line = 0;
    lines[0] = (Line){0, 0, 0, 0};
    for (Py_ssize_t at = 0; at < size;) {
        if (clean[at] <= GAP) {
            if (clean[at++] == LINE)
                lines[++line] = (Line){0, 0, 0, 0};
            continue;
        }
        Py_ssize_t start = at;
        while (at < size && !(tables->kind[clean[at]] & IS_GAP))
            at++;
        words[count].line = line;
        look_at(clean + start, at - start, tables, rules, &words[count++], &lines[line]);
    }
    Py_ssize_t left = 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        words[at].out = (unsigned char)is_padding(&lines[words[at].line], rules);
        left += !words[at].out;
    }
    int taken = 0;
    uint64_t last = 0;
    int any = 0;
    for (Py_ssize_t at = 0; at < count && taken < rules->kept; at++) {
        if (words[at].random || (words[at].out && left >= rules->left))
            continue;
        int again = any && words[at].hash == last && words[at].hash <= rules->link;
        last = words[at].hash;
        any = 1;
        if (again)
            continue;
        if (found->size == found->room) {
            Py_ssize_t room = 2 * found->room + 4096;
            uint64_t *hashes = PyMem_Realloc(found->hashes, (size_t)room * sizeof *hashes);
            if (hashes)
                found->hashes = hashes;
            int64_t *texts = PyMem_Realloc(found->texts, (size_t)room * sizeof *texts);
            if (texts)
                found->texts = texts;
            if (!hashes || !texts)
                return -1;
            found->room = room;
        }
        found->hashes[found->size] = words[at].hash;
        found->texts[found->size++] = text;
        taken++;
    }
    return 0;
}

/* read_words(texts, reading, inner, table, rules) -> (hashes, numbers of their texts), as bytes of 8 a word. */
PyObject *native_read_words(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *texts;
    Py_buffer reading, inner, table;
    Rules rules;
    unsigned long long number, link;
    if (!PyArg_ParseTuple(args, "O!y*y*y*(iiiiiiiiKK)", &PyList_Type, &texts, &reading, &inner, &table, &rules.kept,
                          &rules.longest, &rules.longest_mixed, &rules.consonants, &rules.salad, &rules.shortest,
                          &rules.share, &rules.left, &number, &link))
        return NULL;
    rules.number = number;
    rules.link = link;
    PyObject *result = NULL;
    Py_ssize_t longest = 0;
    int fits = reading.len == 256 && table.len % (Py_ssize_t)(3 * sizeof(int64_t)) == 0;
    for (Py_ssize_t at = 0; fits && at < PyList_GET_SIZE(texts); at++) {
        fits = PyBytes_Check(PyList_GET_ITEM(texts, at));
        if (fits && PyBytes_GET_SIZE(PyList_GET_ITEM(texts, at)) > longest)
            longest = PyBytes_GET_SIZE(PyList_GET_ITEM(texts, at));
    }
    if (!fits) {
        PyErr_SetString(PyExc_TypeError, "read_words(list of bytes, tables, numbers)");
    } else {
        Tables tables;
        fill(&tables, inner.buf, inner.len);
        Words found = {NULL, NULL, 0, 0};
        unsigned char *raw = PyMem_Malloc((size_t)longest + 8);
        unsigned char *clean = PyMem_Malloc((size_t)longest + WORD_BYTES);
        Word *words = PyMem_Malloc(((size_t)longest / 2 + 2) * sizeof *words);
        Line *lines = PyMem_Malloc(((size_t)longest + 2) * sizeof *lines);
        int failed = !raw || !clean || !words || !lines;
        for (Py_ssize_t at = 0; !failed && at < PyList_GET_SIZE(texts); at++) {
            PyObject *text = PyList_GET_ITEM(texts, at);
            Py_ssize_t size = read_text((const unsigned char *)PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), raw,
                                        clean, reading.buf, &tables, table.buf,
                                        table.len / (Py_ssize_t)(3 * sizeof(int64_t)));
            failed = add_words(clean, size, &tables, &rules, words, lines, at, &found);
        }
        if (failed)
            PyErr_NoMemory();
        else
            result = Py_BuildValue("(y#y#)", found.hashes ? (char *)found.hashes : "", 8 * found.size,
                                   found.texts ? (char *)found.texts : "", 8 * found.size);
        PyMem_Free(raw);
        PyMem_Free(clean);
        PyMem_Free(words);
        PyMem_Free(lines);
        PyMem_Free(found.hashes);
        PyMem_Free(found.texts);
    }
    PyBuffer_Release(&reading);
    PyBuffer_Release(&inner);
    PyBuffer_Release(&table);
    return result;
}
