"""Tables and files of time series as rows."""
