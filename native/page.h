/* A page while it is read: what `page.c` (tags and where they stand) and `page_text.c` (what is seen) share. */

#ifndef SPAMTIDE_PAGE_H
#define SPAMTIDE_PAGE_H

#include "native.h"

#include <string.h>

#define TABLES 64

typedef struct {
    char cell;  /* 0 outside cells, 'd' td, 'h' th, 'c' caption */
    char group; /* 'b' tbody, 'h' thead, 'f' tfoot */
    char ground[4]; /* COLOURED or PAPER where the open table, group, row, cell has such a ground */
    char veiled;    /* in the open cell an element that is no part of a table has a white ground */
    Py_ssize_t start; /* size of the text when it began */
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
    int choosing; /* within a select */
    int styled; /* a style sheet was met */
    PyObject *entities; /* html.entities.html5 */
    PyObject *paint_of; /* callable, see message/html.py */
    PyObject *urls, *alts;
    PyObject *hidden; /* [(why, text)] of elements that a reader does not see */
    int ground; /* of the body, as those of a table */
    int body_ground; /* the first body had an attribute for it */
    int veiled;
    int on_paper; /* something was found unseen on a page without a ground */
    int tinted; /* an element that is no part of a table may have a ground of its own */
    int moved;  /* the last tag was moved in front of the open table, and so is what follows it */
    Paint paints[PAINTS];
} Page;

typedef enum { FAILED = -1, PLAIN = 0, DOUBTFUL = 1, UNSEEN = 2 } Verdict;

/* What is to be known of an element. */
enum {
    STARTS_LINE = 1,
    ENDS_LINE = 2,
    RAW = 4,       /* its text is no markup, and not shown */
    OTHER = 8,     /* has rules of its own: left to the tree */
    TABLE = 16,    /* part of a table */
    HEAD = 32,     /* may stand in the head */
    ROOT = 64,     /* html, head, body */
    LEAF = 128,    /* may hold nothing but text, and end with its own end tag */
    CHOICE = 512,  /* select: options and their texts */
    LOOSE = 256,   /* leaves a table without a trace when it stands there empty */
};

typedef struct {
    const char *value, *end; /* NULL: the attribute is not there */
} Span;

enum { HREF, SRC, BACKGROUND, ACTION, ALT, TITLE, CONTENT, EQUIV, HIDDEN, CLASS, STYLE, COLOUR, GROUND, SIZE, KNOWN };

static inline int is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
static inline int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline int is_digit(char c) { return c >= '0' && c <= '9'; }
static inline char lowered(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

#define NAME_BYTES 32 /* of the buffer that holds a tag's name, filled with zeros */
#define IS(name, wanted) (!memcmp(name, wanted, sizeof wanted))

/* The text: add a line's end, and text with its references, in which white space is tidied. */
void page_end_line(Page *page);
Verdict page_put(Page *page, const char *at, const char *end);

/* Which attribute a name is, in any letter case; KNOWN for all others. */
int page_attribute(const char *name, Py_ssize_t size);

/* Note the ground of an element that is now open, and find out whether a reader sees what it holds: UNSEEN, with the
   reason in *why, where surely not. */
Verdict page_take_paint(Page *page, const Span *spans, const char *name, int traits, int first_body, char *why);

/* Keep the text of an element that is not seen. */
Verdict page_hide(Page *page, const char *at, const char *end, char why);

/* Keep the address and the text of an image that the attributes of an element hold. */
Verdict page_take_attributes(Page *page, const Span *spans, const char *name);

#endif
