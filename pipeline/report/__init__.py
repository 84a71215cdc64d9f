"""Report: one page that tells how good a version is, and why it was promoted or refused.

`write.py` gathers what the stages left and fills `page.html`; the page needs nothing from outside.
"""
