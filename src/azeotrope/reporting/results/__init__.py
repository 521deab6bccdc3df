"""How an answer looks in Python, one file an answer: `frame`, `document`, `plot`, `line` and `html`."""
