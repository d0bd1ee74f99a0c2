//! Two sets of policies, compared: what one allows that the other does not, proven over all requests, with a witness.

mod atoms;
mod block;
mod draft;
mod line;
mod search;
mod space;
