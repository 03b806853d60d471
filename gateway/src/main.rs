//! The command line of `pratu`.
fn main() {}
