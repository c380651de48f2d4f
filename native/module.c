/* spamtide._native: the loops over characters and days that cost most, compiled. `spamtide/compiled.py` offers them. */

#include "native.h"

static PyMethodDef METHODS[] = {
    {"read_page", (PyCFunction)(void (*)(void))native_read_page, METH_FASTCALL, "See message/html.py."},
    {"read_fields", (PyCFunction)(void (*)(void))native_read_fields, METH_FASTCALL, "See message/header.py."},
    {"read_head", (PyCFunction)(void (*)(void))native_read_head, METH_FASTCALL, "See message/header.py."},
    {"columns", native_columns, METH_O, "See observation/observe.py."},
    {"fold", (PyCFunction)(void (*)(void))native_fold, METH_FASTCALL, "See campaign/folding.py."},
    {"redact", (PyCFunction)(void (*)(void))native_redact, METH_FASTCALL, "See observation/redact.py."},
    {"render", (PyCFunction)(void (*)(void))native_render, METH_FASTCALL, "See observation/rendering.py."},
    {"shape", (PyCFunction)(void (*)(void))native_shape, METH_FASTCALL, "See observation/template.py."},
    {"urls_in_text", (PyCFunction)(void (*)(void))native_urls_in_text, METH_FASTCALL, "See message/url.py."},
    {"read_date", native_read_date, METH_O, "See observation/when.py."},
    {"link_authorities", native_link_authorities, METH_O, "See observation/lure.py."},
    {"recipient_paths", native_recipient_paths, METH_O, "See observation/redact.py."},
    {"wordings_in", (PyCFunction)(void (*)(void))native_wordings_in, METH_FASTCALL, "See attribution/brand/index.py."},
    {"may_say", (PyCFunction)(void (*)(void))native_may_say, METH_FASTCALL, "See attribution/brand/reading.py."},
    {"texts_in", (PyCFunction)(void (*)(void))native_texts_in, METH_FASTCALL, "See attribution/signature/sieve.py."},
    {"read_words", native_read_words, METH_VARARGS, "See campaign/words.py."},
    {"mixed", native_mixed, METH_VARARGS, "See campaign/candidates.py."},
    {"shared", native_shared, METH_VARARGS, "See campaign/candidates.py."},
    {"join_groups", native_join_groups, METH_VARARGS, "See campaign/grouping.py."},
    {"most_different", native_most_different, METH_VARARGS, "See campaign/clustering.py."},
    {"bands", native_bands, METH_VARARGS, "See campaign/candidates.py."},
    {"met", native_met, METH_VARARGS, "See campaign/candidates.py."},
    {"any_met", native_any_met, METH_VARARGS, "See store/contents.py."},
    {"trait_begins", native_trait_begins, METH_VARARGS, "See campaign/weighing.py."},
    {"sift_traits", native_sift_traits, METH_VARARGS, "See campaign/weighing.py."},
    {"sum_traits", native_sum_traits, METH_VARARGS, "See campaign/weighing.py."},
    {"nearest", native_nearest, METH_VARARGS, "See campaign/kinship.py."},
    {"inner", native_inner, METH_VARARGS, "See campaign/regrouping.py."},
    {"is_spaced", native_is_spaced, METH_O, "See campaign/folding.py."},
    {"is_seen", native_is_seen, METH_O, "See message/text.py."},
    {"tidy_lines", native_tidy_lines, METH_O, "See message/text.py."},
    {"ramps", native_ramps, METH_VARARGS, "See change/moves/date.py."},
    {"cuts", native_cuts, METH_VARARGS, "See change/moves/segment.py."},
    {"uneven", native_uneven, METH_VARARGS, "See change/mixes/mix.py."},
    {"swing", native_swing, METH_VARARGS, "See change/mixes/turnover.py."},
    {"exchange", native_exchange, METH_VARARGS, "See change/mixes/exchange.py."},
    {"levels", native_levels, METH_VARARGS, "See change/moves/weigh.py."},
    {"lines", native_lines, METH_VARARGS, "See change/moves/slope.py."},
    {"score", native_score, METH_VARARGS, "See series/fitting/loglinear.py."},
    {"dispersion", native_dispersion, METH_VARARGS, "See series/fitting/dispersion.py."},
    {"spread", native_spread, METH_VARARGS, "See series/fitting/arrow.py."},
    {"correlate", native_correlate, METH_VARARGS, "See series/fitting/arrow.py."},
    {"follow", native_follow, METH_VARARGS, "See change/moves/wander.py."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "spamtide._native", .m_size = -1, .m_methods = METHODS,
};

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *module = PyModule_Create(&MODULE);
    if (module && PyModule_AddIntConstant(module, "FORM", 18)) { /* as FORM in spamtide/compiled.py */
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
