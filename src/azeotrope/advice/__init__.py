"""The answer of `azeotrope advise`: what to use, what it will reach and cost, and what would change that."""
