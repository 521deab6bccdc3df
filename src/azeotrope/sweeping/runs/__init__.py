"""One run: its teacher made ready, its settings chosen on validation, trained, judged once, recorded."""
