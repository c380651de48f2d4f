"""What ties mail together besides its text: addresses, domains, campaigns, days, and the lab's silence.

Reads rows of evidence as codes; writes, for each row and name, how far what it shares with other mail speaks
for the name. Shared hosts, guests and rented engines are told from a family's own.
"""
