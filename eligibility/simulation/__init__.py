"""Who gets what, asked for whole audiences: matrices and scenario files.

One access query is one decision; here are thousands of them, over a state of the catalogue that is,
was, will be, or is only drafted. Every verdict is `decide`'s, through HeldProduct.
"""
