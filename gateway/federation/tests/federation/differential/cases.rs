//! Documents that once failed.
