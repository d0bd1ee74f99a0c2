//! Asks an SMT solver what Cedar policies decide about all requests: evidence beside the verdicts, which are Cedar's.
//!
//! A counterexample is told after Cedar's own authorizer has decided it so. What a solver calls proven is as good as the
//! solver.

mod domain;
mod prove;
mod shown;
mod solver;

pub use prove::{About, Context, OfPolicy, OfSet, Proof, compare, denied, policies};
pub use shown::Shown;
pub use solver::{LIMIT, Solver, find};
