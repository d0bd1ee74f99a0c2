//! A stand-in for the parts of the APIs of GitHub and of GitLab that comments need: it keeps what it is told, and knows nothing
//! of us.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Comments on a pull request, and who asked for what.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) address: String,
    kept: Arc<Mutex<Kept>>,
}

/// Whose API it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Host {
    #[default]
    GitHub,
    GitLab,
}

#[derive(Debug, Default)]
struct Kept {
    host: Host,
    comments: Vec<Value>,
    asked: Vec<String>,
    /// Whether the token may write, and who writes with it.
    writes: bool,
    stopped: bool,
}

/// Who the token belongs to.
pub(super) const BOT: &str = "github-actions[bot]";
pub(super) const TOKEN: &str = "a-token";
/// Where comments are made, and where one is changed.
const GITHUB: [&str; 2] = ["/repos/acme/platform/issues/7/comments", "/repos/acme/platform/issues/comments/"];
const GITLAB: [&str; 2] = ["/projects/12/merge_requests/7/notes", "/projects/12/merge_requests/7/notes/"];

impl Api {
    pub(super) fn start(writes: bool) -> Self {
        Self::of(Host::GitHub, writes)
    }

    pub(super) fn of(host: Host, writes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Kept { host, writes, ..Kept::default() }));
        let mine = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if mine.lock().unwrap().stopped {
                    return;
                }
                serve(stream.unwrap(), &mine);
            }
        });
        Self { address, kept }
    }

    /// A comment of somebody.
    pub(super) fn add(&self, author: &str, body: &str) {
        let mut kept = self.kept.lock().unwrap();
        let id = kept.comments.len() + 1;
        kept.comments.push(comment(id, author, &body.into()));
    }

    /// Authors and bodies of all comments.
    pub(super) fn comments(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let kept = self.kept.lock().unwrap();
        kept.comments.iter().map(|one| (text(&one["user"]["login"]), text(&one["body"]))).collect()
    }

    /// Requests that write, since the last time.
    pub(super) fn written(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.kept.lock().unwrap().asked);
        asked.retain(|one| !one.starts_with("GET "));
        asked
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.kept.lock().unwrap().stopped = true;
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Kept>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        lines.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let allowed = match kept.lock().unwrap().host {
        Host::GitHub => header("authorization") == Some(format!("Bearer {TOKEN}")),
        Host::GitLab => header("private-token").as_deref() == Some(TOKEN),
    };
    let (status, answer) = match lines.first() {
        _ if !allowed => (401, json!({ "message": "Bad credentials" })),
        Some(line) => answered(line, &body, &mut kept.lock().unwrap()),
        None => return,
    };
    let text = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    let _ = stream.write_all(format!("{head}{text}").as_bytes());
}

fn answered(line: &str, body: &[u8], kept: &mut Kept) -> (u16, Value) {
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    kept.asked.push(format!("{method} {path}"));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if method != "GET" && !kept.writes {
        return (403, json!({ "message": "Resource not accessible by integration" }));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let ([comments, one], change) = match kept.host {
        Host::GitHub => (GITHUB, "PATCH"),
        Host::GitLab => (GITLAB, "PUT"),
    };
    match method {
        "GET" if path == comments => {
            let number = |name: &str| {
                query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
            };
            let (page, size) = (number("page").unwrap_or(1), number("per_page").unwrap_or(30));
            let shown = kept.comments.iter().skip((page - 1) * size).take(size).cloned();
            (200, shown.collect())
        }
        "GET" if path == "/user" && kept.host == Host::GitLab => {
            (200, comment(0, BOT, &Value::Null)["author"].clone())
        }
        "POST" if path == comments => {
            let id = kept.comments.len() + 1;
            kept.comments.push(comment(id, BOT, &body["body"]));
            (201, kept.comments[id - 1].clone())
        }
        method if method == change && path.starts_with(one) => {
            let id: usize = path.strip_prefix(one).unwrap().parse().unwrap();
            kept.comments[id - 1]["body"] = body["body"].clone();
            (200, kept.comments[id - 1].clone())
        }
        _ => (404, json!({ "message": "Not Found" })),
    }
}

/// A comment as both have it: GitHub calls its author `user`, and GitLab knows authors by numbers.
fn comment(id: usize, author: &str, body: &Value) -> Value {
    let number = if author == BOT { 1 } else { 2 };
    json!({
        "id": id,
        "user": { "login": author },
        "author": { "id": number, "username": author },
        "system": false,
        "body": body,
    })
}
