"""The command line: one file a command, each a thin call of the public function of the same name.

A file exposes `command`; its name is the command's. Files that start with an underscore are shared parts.
"""
