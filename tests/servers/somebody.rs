//! Somebody who is in an account with boto3: processes that wait for the next call, since each takes a while to begin.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Aws, python};

/// Those that nobody asks anything at present.
static IDLE: Mutex<Vec<Somebody>> = Mutex::new(Vec::new());

struct Somebody {
    _process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Somebody {
    /// One that is idle, or another one.
    fn any() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| {
            let mut command = python();
            command.args(["-m", "lives.somebody"]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
            let (to, from) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
            Self { _process: process, to, from: BufReader::new(from) }
        })
    }
}

impl Aws {
    /// Somebody else calls operations in an account, each a list of a service, the name of an operation in boto3 (for instance
    /// `attach_role_policy`), its members, and the region if it is not the usual one.
    #[track_caller]
    pub(crate) fn calls(&self, account: &str, calls: &[Value]) -> Vec<Value> {
        let mut somebody = Somebody::any();
        let asked = json!({ "server": self.address, "account": account, "calls": calls });
        writeln!(somebody.to, "{asked}").unwrap();
        let mut told = String::new();
        somebody.from.read_line(&mut told).unwrap();
        assert!(!told.is_empty(), "{calls:?}: a call failed, as it says above");
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(somebody);
        serde_json::from_str(&told).unwrap()
    }
}
