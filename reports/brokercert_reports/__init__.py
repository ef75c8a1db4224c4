"""Run record in; HTML, JUnit, console and Markdown out.

The law: a report formats. It decides nothing, measures nothing and reads nothing but the run record, so that every
report of a run says the same.
"""
