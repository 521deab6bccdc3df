"""Where records, answers and curves live, and who may write there."""
