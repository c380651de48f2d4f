"""Claims, one module a kind: each looks at the prepared view and drafts what it can say of it.

Reads a view (`inputs.View`) and statuses; writes claims, whose sentences, numbers, command and rank are
made in one place (`draft`). A new kind is a module here and a row in `stating.MAKERS`.
"""
