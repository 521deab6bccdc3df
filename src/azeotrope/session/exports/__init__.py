"""From a saved model to verified files, and a file's answers for one picture at a time."""
