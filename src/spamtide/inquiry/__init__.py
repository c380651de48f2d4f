"""What a person asks of an observatory: its state and bulletins, the evidence behind an answer, its rules.

Reads the tables that an update made, signature files and the knowledge graph; writes nothing. A name or a
message that is not there raises UsageError; an observatory that was never updated says so.
"""
