"""The portable graph: written from torch modules, read and held against limits before it is run."""
