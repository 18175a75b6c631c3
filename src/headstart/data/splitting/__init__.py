"""Who trains and who tests, and which rows no fold holds out."""
