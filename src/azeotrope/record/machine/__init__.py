"""The machine that made a run: its environment, processors and energy."""
