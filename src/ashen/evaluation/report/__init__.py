"""The figures of a report: what an agent's fights say of it. Plain dictionaries, drawn by :mod:`ashen.reports.page`."""
