"""Room: Headstart Studio, the pages for people who never open a terminal; it calls `flow` and computes nothing."""
