//! The shipped binary under a name that tests can find: the same one line as its own `main`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tocsin::main()
}
