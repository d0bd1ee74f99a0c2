//! Servers that play the services that a world is made of: strict, deterministic, and without a word about us.
//!
//! `tests/servers/aws/` plays AWS. It is a process of its own, and so are the lives in `tests/servers/lives/`, which boto3 leads on
//! it.

mod documents;
mod lives;
mod operations;
mod somebody;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::harness::program::answer;
use crate::harness::root;
use crate::harness::tools::{Client, Tool};

static MOTO: Tool = Tool {
    name: "moto",
    client: Client::Pip,
    packages: &[
        "boto3==1.44.5",
        "botocore==1.44.5",
        "moto[server]==5.2.5",
        "regex==2026.11.15",
        "werkzeug==3.1.9",
    ],
    options: &["--only-binary=:all:"],
};

/// The interpreter that has what the server and its callers need.
pub(crate) fn python() -> Command {
    let mut python = Command::new(MOTO.folder().join("bin/python"));
    python.arg("-B").env("PYTHONPATH", folder()).env("PYTHONSAFEPATH", "1");
    python
}

fn folder() -> PathBuf {
    root().join("tests/servers")
}

/// A process that plays AWS on a free port of the loopback. It ends when this value is dropped, and also when the tests end
/// in any other way, since its input then does.
pub(crate) struct Aws {
    /// Nothing for a copy, which the process that it is a copy of has started.
    process: Option<(Child, ChildStdin)>,
    /// What clients take as the endpoint of every service, for instance `http://127.0.0.1:40001`.
    pub(crate) address: String,
}

impl Aws {
    /// Starts a server, and waits until it listens.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let mut command = python();
        command.args(["-m", "aws"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let start = Instant::now();
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = process.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "the server says {line:?}");
        println!("started the server of AWS in {:.1} s", start.elapsed().as_secs_f64());
        Self { process: Some((process, input)), address }
    }

    /// Asks the server itself, for instance for `log`; with a value it is told one. What it may be told is in
    /// `tests/servers/aws/control.py`.
    #[track_caller]
    pub(crate) fn ask(&self, path: &str, value: Option<&Value>) -> Value {
        let (method, body) = value.map_or(("GET", String::new()), |value| ("POST", value.to_string()));
        let told = self.said(method, path, &body).unwrap();
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{path}: {told}");
        serde_json::from_str(body).unwrap()
    }

    fn said(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        let length = body.len();
        let head =
            format!("{method} /_server/{path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(format!("{head}{body}").as_bytes())?;
        let mut told = String::new();
        stream.read_to_string(&mut told)?;
        Ok(told)
    }

    /// A copy of the server and of everything that there is. Neither sees what happens in the other.
    #[track_caller]
    pub(crate) fn branch(&self) -> Self {
        let told = self.ask("branch", Some(&Value::Null));
        Self { process: None, address: told["address"].as_str().unwrap().to_owned() }
    }
}

impl Aws {
    /// Others make what they keep and documents refer to: a list of `{ "address", "document" }`.
    #[track_caller]
    pub(crate) fn before(&self, documents: &Value) {
        let mut python = python();
        python.args(["-m", "lives.before"]);
        answer(python.env("SERVER", &self.address), &documents.to_string(), "Python 3.11");
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        match &mut self.process {
            Some((process, _)) => {
                let _ = process.kill();
                let _ = process.wait();
            }
            None => drop(self.said("POST", "end", "")),
        }
    }
}

/// The server of this module, for one test at a time.
fn shared() -> MutexGuard<'static, Aws> {
    static SERVER: LazyLock<Mutex<Aws>> = LazyLock::new(|| Mutex::new(Aws::start()));
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}
