"""Networks by name: where they come from, their weights, their cost, and how a trained one is kept.

It does not train, and it does not decide which model is a teacher and which a student.
"""
