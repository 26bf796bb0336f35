//! The one binary's commands.
