"""Pages over many RESULTs: an index, two RESULTs side by side, the trends of a suite, and the runs that are going on."""
