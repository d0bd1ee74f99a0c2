//! The language: what is accepted, what is refused and where, what the schemas say, and what hostile input does.

mod cases;
