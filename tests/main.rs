//! Every test of the whole system: one binary, linked once.
