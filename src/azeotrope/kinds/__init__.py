"""What an image's label is, and all that follows from it: one file a kind of task.

`single`: one of several classes. `multi`: any number of them, or none. `number`: one real value. Each file exposes
`KIND`; the file name is the key. Loop, strategies, embedding losses, records and laws are the same for all.
"""
