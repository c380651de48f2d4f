"""The stages of an update that read and write much: what each asks of the store, and when it is kept.

Reads new mail, memberships and evidence; writes campaigns, evidence, answers and the roll-ups that count
them, so that a run that dies at any commit is completed by the next. The pure work is done by `campaign` and
`attribution`; here is decided what is worked anew, and what is known already.
"""
