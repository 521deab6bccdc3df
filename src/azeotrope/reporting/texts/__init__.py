"""Answers in words and tables for the terminal, and as JSON documents."""
