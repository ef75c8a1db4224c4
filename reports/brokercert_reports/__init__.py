"""Run record in; HTML, JUnit, console out."""
