"""What this machine lacks for Headstart: facts with codes; nothing is changed, and no connection is opened."""
