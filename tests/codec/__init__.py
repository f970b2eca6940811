"""A second codec for the attributes, written from the RFCs and knowing nothing of the first, and a program that has
encdnsctl and it agree on random ones."""
