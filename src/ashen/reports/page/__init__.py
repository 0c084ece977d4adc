"""A run explained on one page of HTML that needs nothing else. Every section turns figures into blocks; only
:mod:`~ashen.reports.page.page` writes HTML, so that whatever a file says is escaped in one place.
"""
